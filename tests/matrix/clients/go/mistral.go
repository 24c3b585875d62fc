// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gage-technologies/mistral-go"
)

// below sends what goes to a server's root below the path of the base, by the client of the row: this SDK takes neither.
type below struct {
	path string
	by   http.RoundTripper
}

func (b below) RoundTrip(request *http.Request) (*http.Response, error) {
	moved := request.Clone(request.Context())
	moved.URL.Path = b.path + moved.URL.Path
	return b.by.RoundTrip(moved)
}

func mistralCalls(t target) []call {
	base, err := url.Parse(t.Base)
	if err != nil {
		panic(err)
	}
	http.DefaultTransport = below{base.Path + "/", client(t).Transport}
	c := mistral.NewMistralClient("x", base.Scheme+"://"+base.Host, 1, 20*time.Second)
	said := []mistral.ChatMessage{{Role: "user", Content: prompt}}
	return []call{
		{"chat", func() (told, error) {
			answer, err := c.Chat("mistral-matrix", said, nil)
			if err != nil {
				return nil, err
			}
			return text(answer.Choices[0].Message.Content, nil)
		}},
		{"stream", func() (told, error) {
			parts, err := c.ChatStream("mistral-matrix", said, nil)
			if err != nil {
				return nil, err
			}
			var out strings.Builder
			for part := range parts {
				if part.Error != nil {
					return nil, part.Error
				}
				for _, choice := range part.Choices {
					out.WriteString(choice.Delta.Content)
				}
			}
			return text(out.String(), nil)
		}},
		{"tools", func() (told, error) {
			offered := mistral.DefaultChatRequestParams
			declared := mistral.Function{Name: "get_weather", Description: "weather", Parameters: city}
			offered.Tools = []mistral.Tool{{Type: mistral.ToolTypeFunction, Function: declared}}
			answer, err := c.Chat("mistral-matrix", said, &offered)
			if err != nil {
				return nil, err
			}
			used := answer.Choices[0].Message.ToolCalls[0].Function
			return tool(used.Name, used.Arguments), nil
		}},
		{"embed", func() (told, error) {
			answer, err := c.Embeddings("embed-matrix", []string{prompt, "two"})
			if err != nil {
				return nil, err
			}
			return told{"vectors": len(answer.Data)}, nil
		}},
	}
}
