// SPDX-License-Identifier: Apache-2.0
// The Java SDKs, each with what it can do: Main NAME. The protocol with the test is that of python_sdks.py.
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.MessageCreateParams;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.openai.client.okhttp.OpenAIOkHttpClient;
import com.openai.models.chat.completions.ChatCompletionCreateParams;
import com.openai.models.responses.ResponseCreateParams;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

public class Main {
  static final String PROMPT = "hello from the matrix";
  static final ObjectMapper JSON = new ObjectMapper();

  static Map<String, Callable<String>> openai(String base) {
    var client = OpenAIOkHttpClient.builder().apiKey("x").baseUrl(base + "/v1").maxRetries(0).build();
    var asked = ChatCompletionCreateParams.builder().model("gpt-matrix").addUserMessage(PROMPT).build();
    var respond = ResponseCreateParams.builder().model("gpt-matrix").input(PROMPT).build();
    var calls = new LinkedHashMap<String, Callable<String>>();
    calls.put("chat", () -> client.chat().completions().create(asked).choices().get(0).message().content().get());
    calls.put("stream", () -> {
      try (var stream = client.chat().completions().createStreaming(asked)) {
        return stream.stream().flatMap(c -> c.choices().stream()).map(c -> c.delta().content().orElse(""))
            .collect(Collectors.joining());
      }
    });
    calls.put("responses", () -> client.responses().create(respond).output().stream()
        .flatMap(o -> o.message().stream()).flatMap(m -> m.content().stream())
        .flatMap(c -> c.outputText().stream()).map(t -> t.text()).collect(Collectors.joining()));
    return calls;
  }

  static Map<String, Callable<String>> anthropic(String base) {
    var client = AnthropicOkHttpClient.builder().apiKey("x").baseUrl(base).maxRetries(0).build();
    var asked = MessageCreateParams.builder().model("claude-matrix").maxTokens(100).addUserMessage(PROMPT).build();
    var calls = new LinkedHashMap<String, Callable<String>>();
    calls.put("chat", () -> client.messages().create(asked).content().get(0).text().get().text());
    calls.put("stream", () -> {
      try (var stream = client.messages().createStreaming(asked)) {
        return stream.stream().flatMap(e -> e.contentBlockDelta().stream()).flatMap(d -> d.delta().text().stream())
            .map(t -> t.text()).collect(Collectors.joining());
      }
    });
    return calls;
  }

  public static void main(String[] args) throws Exception {
    for (JsonNode target : JSON.readTree(System.getenv("MATRIX"))) {
      var base = target.get("base").asText();
      for (var call : (args[0].equals("openai") ? openai(base) : anthropic(base)).entrySet()) {
        var told = new LinkedHashMap<String, Object>();
        told.put("base", base);
        told.put("call", call.getKey());
        try {
          told.put("text", call.getValue().call());
        } catch (Exception error) {
          told.put("error", error.toString());
        }
        System.out.println(JSON.writeValueAsString(told));
      }
    }
    System.exit(0);
  }
}
