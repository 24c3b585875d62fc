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

  static void openai(String base, Map<String, Callable<Object>> calls) {
    var client = OpenAIOkHttpClient.builder().apiKey("x").baseUrl(base + "/v1").maxRetries(0).build();
    var asked = ChatCompletionCreateParams.builder().model("gpt-matrix").addUserMessage(PROMPT).build();
    var respond = ResponseCreateParams.builder().model("gpt-matrix").input(PROMPT).build();
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
  }

  static void anthropic(String base, Map<String, Callable<Object>> calls) {
    var client = AnthropicOkHttpClient.builder().apiKey("x").baseUrl(base).maxRetries(0).build();
    var asked = MessageCreateParams.builder().model("claude-matrix").maxTokens(100).addUserMessage(PROMPT).build();
    calls.put("chat", () -> client.messages().create(asked).content().get(0).text().get().text());
    calls.put("stream", () -> {
      try (var stream = client.messages().createStreaming(asked)) {
        return stream.stream().flatMap(e -> e.contentBlockDelta().stream()).flatMap(d -> d.delta().text().stream())
            .map(t -> t.text()).collect(Collectors.joining());
      }
    });
  }

  static Map<String, Callable<Object>> calls(String sdk, String base, boolean http2) {
    var calls = new LinkedHashMap<String, Callable<Object>>();
    switch (sdk) {
      case "openai" -> openai(base, calls);
      case "anthropic" -> anthropic(base, calls);
      case "genai" -> Others.genai(base, calls);
      case "bedrock" -> Others.bedrock(base, calls);
      case "bedrock-async" -> Others.bedrockAsync(base, http2, calls);
      case "cohere" -> Others.cohere(base, calls);
      case "dashscope" -> Dash.calls(base, calls);
      case "langchain4j" -> Others.langchain(base, calls);
      case "mistral" -> Others.mistral(base, calls);
      default -> throw new IllegalArgumentException(sdk);
    }
    return calls;
  }

  @SuppressWarnings("unchecked")
  public static void main(String[] args) throws Exception {
    for (JsonNode target : JSON.readTree(System.getenv("MATRIX"))) {
      var base = target.get("base").asText();
      for (var call : calls(args[0], base, target.get("http2").asBoolean()).entrySet()) {
        var told = new LinkedHashMap<String, Object>();
        told.put("base", base);
        told.put("call", call.getKey());
        try {
          var said = call.getValue().call();
          told.putAll(said instanceof Map<?, ?> more ? (Map<String, Object>) more : Map.of("text", said));
        } catch (Exception error) {
          told.put("error", error.toString());
        }
        System.out.println(JSON.writeValueAsString(told));
      }
    }
    System.exit(0);
  }
}
