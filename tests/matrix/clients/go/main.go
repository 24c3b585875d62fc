// SPDX-License-Identifier: Apache-2.0

// The Go SDKs, each with what it can do: go_sdks NAME. The protocol with the test is that of python_sdks.py.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicoption "github.com/anthropics/anthropic-sdk-go/option"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"
	"google.golang.org/genai"
)

const prompt = "hello from the matrix"

var ctx = context.Background()
var city = map[string]any{"type": "object", "required": []string{"city"},
	"properties": map[string]any{"city": map[string]any{"type": "string"}}}

type target struct {
	Base  string `json:"base"`
	HTTP2 bool   `json:"http2"`
}

// told is what the SDK understood of one answer.
type told map[string]any

type call struct {
	name string
	make func() (told, error)
}

func text(s string, err error) (told, error) { return told{"text": s}, err }

func tool(name string, arguments string) told {
	return told{"tools": []any{[]any{name, json.RawMessage(arguments)}}}
}

// client speaks exactly one version of HTTP, so that the row says which.
func client(t target) *http.Client {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(!t.HTTP2)
	transport.Protocols.SetHTTP2(t.HTTP2)
	transport.Protocols.SetUnencryptedHTTP2(t.HTTP2)
	return &http.Client{Transport: transport}
}

// streamed is one streamed chat.
func streamed(c openai.Client, asked openai.ChatCompletionNewParams) (told, error) {
	var out strings.Builder
	stream := c.Chat.Completions.NewStreaming(ctx, asked)
	for stream.Next() {
		for _, choice := range stream.Current().Choices {
			out.WriteString(choice.Delta.Content)
		}
	}
	return text(out.String(), stream.Err())
}

// parallel streams side by side: on one connection with HTTP/2, on several with HTTP/1.1.
func parallel(c openai.Client, asked openai.ChatCompletionNewParams) (told, error) {
	var all sync.WaitGroup
	each := make([]told, 8)
	for i := range each {
		all.Add(1)
		go func() {
			defer all.Done()
			mine := asked
			mine.Model = fmt.Sprintf("gpt-matrix-%d", i)
			said, err := streamed(c, mine)
			if err != nil {
				said = told{"error": err.Error()}
			}
			said["model"] = mine.Model
			each[i] = said
		}()
	}
	all.Wait()
	return told{"each": each}, nil
}

func openaiCalls(t target) []call {
	made := func(base string) openai.Client {
		return openai.NewClient(option.WithBaseURL(base+"/v1/"), option.WithAPIKey("x"), option.WithHTTPClient(client(t)),
			option.WithMaxRetries(0))
	}
	c := made(t.Base)
	slow := made(strings.Replace(t.Base, "noise=1", "noise=1,events=20,delay=0.002", 1))
	large := made(strings.Replace(t.Base, "noise=1", "noise=1,events=300,size=1000", 1))
	asked := openai.ChatCompletionNewParams{Model: "gpt-matrix",
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)}}
	respond := responses.ResponseNewParams{Model: "gpt-matrix",
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(prompt)}}
	return []call{
		{"chat", func() (told, error) {
			answer, err := c.Chat.Completions.New(ctx, asked)
			if err != nil {
				return nil, err
			}
			return text(answer.Choices[0].Message.Content, nil)
		}},
		{"stream", func() (told, error) { return streamed(c, asked) }},
		{"parallel", func() (told, error) { return parallel(slow, asked) }},
		{"large", func() (told, error) {
			said := openai.UserMessage(strings.Repeat("a lot to read; ", 20000))
			return streamed(large, openai.ChatCompletionNewParams{Model: "gpt-matrix",
				Messages: []openai.ChatCompletionMessageParamUnion{said}})
		}},
		{"tools", func() (told, error) {
			offered := asked
			offered.Tools = []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(
				shared.FunctionDefinitionParam{Name: "get_weather", Parameters: city})}
			answer, err := c.Chat.Completions.New(ctx, offered)
			if err != nil {
				return nil, err
			}
			used := answer.Choices[0].Message.ToolCalls[0].Function
			return tool(used.Name, used.Arguments), nil
		}},
		{"responses", func() (told, error) {
			answer, err := c.Responses.New(ctx, respond)
			if err != nil {
				return nil, err
			}
			return text(answer.OutputText(), nil)
		}},
		{"responses_stream", func() (told, error) {
			var out strings.Builder
			stream := c.Responses.NewStreaming(ctx, respond)
			for stream.Next() {
				if event := stream.Current(); event.Type == "response.output_text.delta" {
					out.WriteString(event.Delta)
				}
			}
			return text(out.String(), stream.Err())
		}},
	}
}

func anthropicCalls(t target) []call {
	c := anthropic.NewClient(anthropicoption.WithBaseURL(t.Base), anthropicoption.WithAPIKey("x"),
		anthropicoption.WithHTTPClient(client(t)), anthropicoption.WithMaxRetries(0))
	asked := anthropic.MessageNewParams{Model: "claude-matrix", MaxTokens: 100,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(prompt))}}
	return []call{
		{"chat", func() (told, error) {
			answer, err := c.Messages.New(ctx, asked)
			if err != nil {
				return nil, err
			}
			return text(answer.Content[0].Text, nil)
		}},
		{"stream", func() (told, error) {
			var out strings.Builder
			stream := c.Messages.NewStreaming(ctx, asked)
			for stream.Next() {
				out.WriteString(stream.Current().Delta.Text)
			}
			return text(out.String(), stream.Err())
		}},
		{"tools", func() (told, error) {
			offered := asked
			schema := anthropic.ToolInputSchemaParam{Properties: city["properties"]}
			offered.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "get_weather", InputSchema: schema}}}
			answer, err := c.Messages.New(ctx, offered)
			if err != nil {
				return nil, err
			}
			return tool(answer.Content[0].Name, string(answer.Content[0].Input)), nil
		}},
	}
}

func genaiCalls(t target) []call {
	c, err := genai.NewClient(ctx, &genai.ClientConfig{APIKey: "x", Backend: genai.BackendGeminiAPI, HTTPClient: client(t),
		HTTPOptions: genai.HTTPOptions{BaseURL: t.Base}})
	if err != nil {
		panic(err)
	}
	offered := &genai.GenerateContentConfig{Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{
		{Name: "get_weather", ParametersJsonSchema: city}}}}}
	return []call{
		{"chat", func() (told, error) {
			answer, err := c.Models.GenerateContent(ctx, "gemini-matrix", genai.Text(prompt), nil)
			if err != nil {
				return nil, err
			}
			return text(answer.Text(), nil)
		}},
		{"stream", func() (told, error) {
			var out strings.Builder
			for part, err := range c.Models.GenerateContentStream(ctx, "gemini-matrix", genai.Text(prompt), nil) {
				if err != nil {
					return nil, err
				}
				out.WriteString(part.Text())
			}
			return text(out.String(), nil)
		}},
		{"tools", func() (told, error) {
			answer, err := c.Models.GenerateContent(ctx, "gemini-matrix", genai.Text(prompt), offered)
			if err != nil {
				return nil, err
			}
			used := answer.FunctionCalls()[0]
			arguments, err := json.Marshal(used.Args)
			return tool(used.Name, string(arguments)), err
		}},
	}
}

func main() {
	sdks := map[string]func(target) []call{"openai": openaiCalls, "anthropic": anthropicCalls, "genai": genaiCalls,
		"bedrock": bedrockCalls, "cohere": cohereCalls, "ollama": ollamaCalls, "community": communityCalls,
		"mistral": mistralCalls}
	var targets []target
	if err := json.Unmarshal([]byte(os.Getenv("MATRIX")), &targets); err != nil {
		panic(err)
	}
	for _, t := range targets {
		for _, one := range sdks[os.Args[1]](t) {
			said, err := one.make()
			if err != nil {
				said = told{"error": err.Error()}
			}
			each, several := said["each"].([]told)
			if !several {
				each = []told{said}
			}
			for _, said := range each {
				// The test knows a line by its first key.
				rest, _ := json.Marshal(said)
				base, _ := json.Marshal(t.Base)
				fmt.Printf("{\"base\": %s, \"call\": %q, %s\n", base, one.name, rest[1:])
			}
		}
	}
}
