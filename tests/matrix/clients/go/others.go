// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	cohere "github.com/cohere-ai/cohere-go/v2"
	cohereclient "github.com/cohere-ai/cohere-go/v2/client"
	"github.com/ollama/ollama/api"
	community "github.com/sashabaranov/go-openai"
)

// all calls @next until the stream ends; what it gives is one text.
func all(next func() (string, error)) (told, error) {
	var out strings.Builder
	for {
		part, err := next()
		if errors.Is(err, io.EOF) {
			return text(out.String(), nil)
		}
		if err != nil {
			return nil, err
		}
		out.WriteString(part)
	}
}

func bedrockCalls(t target) []call {
	// This SDK closes its request's body as soon as an answer begins, and where that is at once, its connection breaks.
	base := strings.Replace(t.Base, "noise=1", "noise=1,first=0.01", 1)
	c := bedrockruntime.New(bedrockruntime.Options{Region: "us-east-1", BaseEndpoint: &base, HTTPClient: client(t),
		RetryMaxAttempts: 1, Credentials: credentials.NewStaticCredentialsProvider("x", "x", "")})
	model := aws.String("anthropic.claude-matrix-v1:0")
	said := []types.Message{{Role: types.ConversationRoleUser,
		Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: prompt}}}}
	raw, _ := json.Marshal(map[string]any{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
		"messages": []any{map[string]any{"role": "user", "content": prompt}}})
	converse := func(tools *types.ToolConfiguration) ([]types.ContentBlock, error) {
		answer, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: model, Messages: said, ToolConfig: tools})
		if err != nil {
			return nil, err
		}
		return answer.Output.(*types.ConverseOutputMemberMessage).Value.Content, nil
	}
	return []call{
		{"chat", func() (told, error) {
			blocks, err := converse(nil)
			if err != nil {
				return nil, err
			}
			return text(blocks[0].(*types.ContentBlockMemberText).Value, nil)
		}},
		{"stream", func() (told, error) {
			answer, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: model, Messages: said})
			if err != nil {
				return nil, err
			}
			var out strings.Builder
			stream := answer.GetStream()
			defer stream.Close()
			for event := range stream.Events() {
				if block, is := event.(*types.ConverseStreamOutputMemberContentBlockDelta); is {
					out.WriteString(block.Value.Delta.(*types.ContentBlockDeltaMemberText).Value)
				}
			}
			return text(out.String(), stream.Err())
		}},
		{"tools", func() (told, error) {
			spec := types.ToolSpecification{Name: aws.String("get_weather"), Description: aws.String("weather"),
				InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(city)}}
			blocks, err := converse(&types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: spec}}})
			if err != nil {
				return nil, err
			}
			used := blocks[0].(*types.ContentBlockMemberToolUse).Value
			arguments, err := used.Input.MarshalSmithyDocument()
			return tool(*used.Name, string(arguments)), err
		}},
		{"invoke", func() (told, error) {
			answer, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: model, Body: raw,
				ContentType: aws.String("application/json")})
			if err != nil {
				return nil, err
			}
			var body struct{ Content []struct{ Text string } }
			err = json.Unmarshal(answer.Body, &body)
			return text(body.Content[0].Text, err)
		}},
		{"invoke_stream", func() (told, error) {
			answer, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{
				ModelId: model, Body: raw, ContentType: aws.String("application/json")})
			if err != nil {
				return nil, err
			}
			var out strings.Builder
			stream := answer.GetStream()
			defer stream.Close()
			for event := range stream.Events() {
				var part struct{ Delta struct{ Text string } }
				if err := json.Unmarshal(event.(*types.ResponseStreamMemberChunk).Value.Bytes, &part); err != nil {
					return nil, err
				}
				out.WriteString(part.Delta.Text)
			}
			return text(out.String(), stream.Err())
		}},
	}
}

func cohereCalls(t target) []call {
	c := cohereclient.NewClient(cohereclient.WithBaseURL(t.Base), cohereclient.WithToken("x"),
		cohereclient.WithHTTPClient(client(t)), cohereclient.WithMaxAttempts(1)).V2
	said := cohere.ChatMessages{{Role: "user", User: &cohere.UserMessageV2{
		Content: &cohere.UserMessageV2Content{String: prompt}}}}
	asked := cohere.V2ChatRequest{Model: "command-matrix", Messages: said}
	return []call{
		{"chat", func() (told, error) {
			answer, err := c.Chat(ctx, &asked)
			if err != nil {
				return nil, err
			}
			return text(answer.Message.Content[0].Text.Text, nil)
		}},
		{"stream", func() (told, error) {
			stream, err := c.ChatStream(ctx, &cohere.V2ChatStreamRequest{Model: "command-matrix", Messages: said})
			if err != nil {
				return nil, err
			}
			defer stream.Close()
			return all(func() (string, error) {
				event, err := stream.Recv()
				var blank *json.SyntaxError // what this SDK makes of the empty line between two events
				if errors.As(err, &blank) {
					return "", nil
				}
				if err != nil || event.ContentDelta == nil {
					return "", err
				}
				return *event.ContentDelta.Delta.Message.Content.Text, nil
			})
		}},
		{"tools", func() (told, error) {
			offered := asked
			offered.Tools = []*cohere.ToolV2{{Function: &cohere.ToolV2Function{Name: "get_weather", Parameters: city}}}
			answer, err := c.Chat(ctx, &offered)
			if err != nil {
				return nil, err
			}
			used := answer.Message.ToolCalls[0].Function
			return tool(*used.Name, *used.Arguments), nil
		}},
		{"rerank", func() (told, error) {
			answer, err := c.Rerank(ctx, &cohere.V2RerankRequest{Model: "rerank-matrix", Query: prompt,
				Documents: []string{"a", "b", "c"}, TopN: cohere.Int(2)})
			if err != nil {
				return nil, err
			}
			return told{"vectors": len(answer.Results)}, nil
		}},
		{"embed", func() (told, error) {
			answer, err := c.Embed(ctx, &cohere.V2EmbedRequest{Model: "embed-matrix", Texts: []string{prompt, "two"},
				InputType: cohere.EmbedInputTypeSearchQuery, EmbeddingTypes: []cohere.EmbeddingType{cohere.EmbeddingTypeFloat}})
			if err != nil {
				return nil, err
			}
			return told{"vectors": len(answer.Embeddings.Float)}, nil
		}},
	}
}

func ollamaCalls(t target) []call {
	base, err := url.Parse(t.Base)
	if err != nil {
		panic(err)
	}
	c := api.NewClient(base, client(t))
	chat := func(streamed bool, tools api.Tools) (told, error) {
		var out strings.Builder
		var used []api.ToolCall
		asked := &api.ChatRequest{Model: "llama-matrix", Stream: &streamed, Tools: tools,
			Messages: []api.Message{{Role: "user", Content: prompt}}}
		err := c.Chat(ctx, asked, func(part api.ChatResponse) error {
			out.WriteString(part.Message.Content)
			used = append(used, part.Message.ToolCalls...)
			return nil
		})
		if err != nil || tools == nil {
			return text(out.String(), err)
		}
		arguments, err := json.Marshal(used[0].Function.Arguments)
		return tool(used[0].Function.Name, string(arguments)), err
	}
	return []call{
		{"chat", func() (told, error) { return chat(false, nil) }},
		{"stream", func() (told, error) { return chat(true, nil) }},
		{"tools", func() (told, error) {
			var offered api.Tools
			declared, _ := json.Marshal([]any{map[string]any{"type": "function",
				"function": map[string]any{"name": "get_weather", "parameters": city}}})
			if err := json.Unmarshal(declared, &offered); err != nil {
				return nil, err
			}
			return chat(false, offered)
		}},
		{"generate", func() (told, error) {
			var out strings.Builder
			err := c.Generate(ctx, &api.GenerateRequest{Model: "llama-matrix", Prompt: prompt},
				func(part api.GenerateResponse) error { out.WriteString(part.Response); return nil })
			return text(out.String(), err)
		}},
	}
}

func communityCalls(t target) []call {
	config := community.DefaultConfig("x")
	config.BaseURL, config.HTTPClient = t.Base+"/v1", client(t)
	c := community.NewClientWithConfig(config)
	asked := community.ChatCompletionRequest{Model: "gpt-matrix",
		Messages: []community.ChatCompletionMessage{{Role: "user", Content: prompt}}}
	return []call{
		{"chat", func() (told, error) {
			answer, err := c.CreateChatCompletion(ctx, asked)
			if err != nil {
				return nil, err
			}
			return text(answer.Choices[0].Message.Content, nil)
		}},
		{"stream", func() (told, error) {
			stream, err := c.CreateChatCompletionStream(ctx, asked)
			if err != nil {
				return nil, err
			}
			defer stream.Close()
			return all(func() (string, error) {
				part, err := stream.Recv()
				if err != nil || len(part.Choices) == 0 {
					return "", err
				}
				return part.Choices[0].Delta.Content, nil
			})
		}},
		{"tools", func() (told, error) {
			offered := asked
			offered.Tools = []community.Tool{{Type: community.ToolTypeFunction,
				Function: &community.FunctionDefinition{Name: "get_weather", Parameters: city}}}
			answer, err := c.CreateChatCompletion(ctx, offered)
			if err != nil {
				return nil, err
			}
			used := answer.Choices[0].Message.ToolCalls[0].Function
			return tool(used.Name, used.Arguments), nil
		}},
		{"embed", func() (told, error) {
			answer, err := c.CreateEmbeddings(ctx, community.EmbeddingRequestStrings{Model: "embed-matrix",
				Input: []string{prompt, "two"}})
			if err != nil {
				return nil, err
			}
			return told{"vectors": len(answer.Data)}, nil
		}},
	}
}
