// SPDX-License-Identifier: Apache-2.0
// SDKs beside OpenAI's and Anthropic's own: Gemini, Bedrock (blocking, and HTTP/2 on Netty), Cohere, LangChain4j.
import com.cohere.api.Cohere;
import com.cohere.api.resources.v2.requests.V2ChatRequest;
import com.cohere.api.resources.v2.requests.V2ChatStreamRequest;
import com.cohere.api.resources.v2.requests.V2RerankRequest;
import com.cohere.api.types.ChatMessageV2;
import com.cohere.api.types.UserMessageV2;
import com.cohere.api.types.UserMessageV2Content;
import com.google.genai.Client;
import com.google.genai.types.FunctionDeclaration;
import com.google.genai.types.GenerateContentConfig;
import com.google.genai.types.HttpOptions;
import com.google.genai.types.Tool;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.mistralai.MistralAiChatModel;
import dev.langchain4j.model.mistralai.MistralAiEmbeddingModel;
import dev.langchain4j.model.mistralai.MistralAiStreamingChatModel;
import dev.langchain4j.model.ollama.OllamaChatModel;
import dev.langchain4j.model.ollama.OllamaStreamingChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import dev.langchain4j.model.openai.OpenAiStreamingChatModel;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.document.Document;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.ProtocolNegotiation;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeAsyncClient;
import software.amazon.awssdk.services.bedrockruntime.BedrockRuntimeClient;
import software.amazon.awssdk.services.bedrockruntime.model.ContentBlock;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamRequest;
import software.amazon.awssdk.services.bedrockruntime.model.ConverseStreamResponseHandler;
import software.amazon.awssdk.services.bedrockruntime.model.InvokeModelRequest;
import software.amazon.awssdk.services.bedrockruntime.model.Message;
import software.amazon.awssdk.services.bedrockruntime.model.ToolInputSchema;

class Others {
  static final String MODEL = "anthropic.claude-matrix-v1:0";
  static final Map<String, Object> CITY = Map.of("type", "object", "required", List.of("city"), "properties",
      Map.of("city", Map.of("type", "string")));

  static Map<String, Object> tools(String name, Object arguments) {
    return Map.of("tools", List.of(List.of(name, arguments)));
  }

  static void genai(String base, Map<String, Callable<Object>> calls) {
    var client = Client.builder().apiKey("x").httpOptions(HttpOptions.builder().baseUrl(base).build()).build();
    var declared = FunctionDeclaration.builder().name("get_weather").parametersJsonSchema(CITY).build();
    var offered = GenerateContentConfig.builder().tools(Tool.builder().functionDeclarations(declared).build()).build();
    calls.put("chat", () -> client.models.generateContent("gemini-matrix", Main.PROMPT, null).text());
    calls.put("stream", () -> {
      try (var stream = client.models.generateContentStream("gemini-matrix", Main.PROMPT, null)) {
        return StreamSupport.stream(stream.spliterator(), false).map(c -> c.text()).collect(Collectors.joining());
      }
    });
    calls.put("tools", () -> {
      var used = client.models.generateContent("gemini-matrix", Main.PROMPT, offered).functionCalls().get(0);
      return tools(used.name().get(), used.args().get());
    });
  }

  static ConverseRequest.Builder asked() {
    var said = Message.builder().role("user").content(ContentBlock.fromText(Main.PROMPT)).build();
    return ConverseRequest.builder().modelId(MODEL).messages(said);
  }

  static ConverseRequest offered() {
    var city = Document.mapBuilder().putDocument("city", Document.mapBuilder().putString("type", "string").build()).build();
    var schema = Document.mapBuilder().putString("type", "object").putDocument("properties", city).build();
    return asked().toolConfig(c -> c.tools(t -> t.toolSpec(
        s -> s.name("get_weather").description("weather").inputSchema(ToolInputSchema.fromJson(schema))))).build();
  }

  static Map<String, Object> used(List<ContentBlock> content) {
    return tools(content.get(0).toolUse().name(), content.get(0).toolUse().input().unwrap());
  }

  static InvokeModelRequest raw() throws Exception {
    var body = Main.JSON.writeValueAsString(Map.of("anthropic_version", "bedrock-2023-05-31", "max_tokens", 100,
        "messages", List.of(Map.of("role", "user", "content", Main.PROMPT))));
    return InvokeModelRequest.builder().modelId(MODEL).body(SdkBytes.fromUtf8String(body)).build();
  }

  static StaticCredentialsProvider keys() {
    return StaticCredentialsProvider.create(AwsBasicCredentials.create("x", "x"));
  }

  static void bedrock(String base, Map<String, Callable<Object>> calls) {
    var client = BedrockRuntimeClient.builder().region(Region.US_EAST_1).endpointOverride(URI.create(base))
        .credentialsProvider(keys()).build();
    calls.put("chat", () -> client.converse(asked().build()).output().message().content().get(0).text());
    calls.put("tools", () -> used(client.converse(offered()).output().message().content()));
    calls.put("invoke", () -> Main.JSON.readTree(client.invokeModel(raw()).body().asUtf8String()).at("/content/0/text").asText());
  }

  static void bedrockAsync(String base, boolean http2, Map<String, Callable<Object>> calls) {
    var http = NettyNioAsyncHttpClient.builder().protocol(http2 ? Protocol.HTTP2 : Protocol.HTTP1_1)
        .protocolNegotiation(http2 ? null : ProtocolNegotiation.ASSUME_PROTOCOL);
    var client = BedrockRuntimeAsyncClient.builder().region(Region.US_EAST_1).endpointOverride(URI.create(base))
        .credentialsProvider(keys()).httpClientBuilder(http).build();
    calls.put("chat", () -> client.converse(asked().build()).get().output().message().content().get(0).text());
    calls.put("stream", () -> {
      var text = new StringBuffer();
      var visitor = ConverseStreamResponseHandler.Visitor.builder()
          .onContentBlockDelta(d -> text.append(d.delta().text())).build();
      var request = ConverseStreamRequest.builder().modelId(MODEL).messages(asked().build().messages()).build();
      client.converseStream(request, ConverseStreamResponseHandler.builder().subscriber(visitor).build()).get();
      return text.toString();
    });
    calls.put("tools", () -> used(client.converse(offered()).get().output().message().content()));
    calls.put("invoke", () -> Main.JSON.readTree(client.invokeModel(raw()).get().body().asUtf8String()).at("/content/0/text").asText());
  }

  static void cohere(String base, Map<String, Callable<Object>> calls) {
    var client = Cohere.builder().token("x").url(base).maxRetries(0).build().v2();
    var said = List.of(ChatMessageV2.user(UserMessageV2.builder().content(UserMessageV2Content.of(Main.PROMPT)).build()));
    calls.put("chat", () -> client.chat(V2ChatRequest.builder().model("command-matrix").messages(said).build())
        .getMessage().getContent().get().get(0).getText().get().getText());
    calls.put("stream", () -> {
      var events = client.chatStream(V2ChatStreamRequest.builder().model("command-matrix").messages(said).build());
      return StreamSupport.stream(events.spliterator(), false).flatMap(e -> e.getContentDelta().stream())
          .map(d -> d.getDelta().get().getMessage().get().getContent().get().getText().get()).collect(Collectors.joining());
    });
    calls.put("rerank", () -> {
      var asked = V2RerankRequest.builder().model("rerank-matrix").query(Main.PROMPT).documents(List.of("a", "b", "c")).topN(2);
      return Map.of("vectors", client.rerank(asked.build()).getResults().size());
    });
  }

  static String streamed(StreamingChatModel model) throws Exception {
    var whole = new CompletableFuture<String>();
    model.chat(Main.PROMPT, new StreamingChatResponseHandler() {
      public void onCompleteResponse(ChatResponse answer) {
        whole.complete(answer.aiMessage().text());
      }

      public void onError(Throwable error) {
        whole.completeExceptionally(error);
      }
    });
    return whole.get();
  }

  static void langchain(String base, Map<String, Callable<Object>> calls) {
    ChatModel gpt = OpenAiChatModel.builder().baseUrl(base + "/v1").apiKey("x").modelName("gpt-matrix").maxRetries(0).build();
    var gptStream = OpenAiStreamingChatModel.builder().baseUrl(base + "/v1").apiKey("x").modelName("gpt-matrix").build();
    ChatModel llama = OllamaChatModel.builder().baseUrl(base).modelName("llama-matrix").maxRetries(0).build();
    var llamaStream = OllamaStreamingChatModel.builder().baseUrl(base).modelName("llama-matrix").build();
    calls.put("chat", () -> gpt.chat(Main.PROMPT));
    calls.put("stream", () -> streamed(gptStream));
    calls.put("ollama", () -> llama.chat(Main.PROMPT));
    calls.put("ollama_stream", () -> streamed(llamaStream));
  }

  static void mistral(String base, Map<String, Callable<Object>> calls) {
    var url = base + "/v1";
    ChatModel whole = MistralAiChatModel.builder().baseUrl(url).apiKey("x").modelName("mistral-matrix").maxRetries(0).build();
    var stream = MistralAiStreamingChatModel.builder().baseUrl(url).apiKey("x").modelName("mistral-matrix").build();
    var vectors = MistralAiEmbeddingModel.builder().baseUrl(url).apiKey("x").modelName("embed-matrix").maxRetries(0).build();
    calls.put("chat", () -> whole.chat(Main.PROMPT));
    calls.put("stream", () -> streamed(stream));
    calls.put("embed", () -> {
      var asked = List.of(TextSegment.from(Main.PROMPT), TextSegment.from("two"));
      return Map.of("vectors", vectors.embedAll(asked).content().size());
    });
  }
}
