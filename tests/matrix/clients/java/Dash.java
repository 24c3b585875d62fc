// SPDX-License-Identifier: Apache-2.0
// Alibaba's own format. Its streams grow where nothing is asked, and come in pieces where they are.
import com.alibaba.dashscope.aigc.generation.Generation;
import com.alibaba.dashscope.aigc.generation.GenerationParam;
import com.alibaba.dashscope.aigc.generation.GenerationResult;
import com.alibaba.dashscope.app.Application;
import com.alibaba.dashscope.app.ApplicationParam;
import com.alibaba.dashscope.common.Message;
import com.alibaba.dashscope.embeddings.TextEmbedding;
import com.alibaba.dashscope.embeddings.TextEmbeddingParam;
import com.alibaba.dashscope.rerank.TextReRank;
import com.alibaba.dashscope.rerank.TextReRankParam;
import com.alibaba.dashscope.tools.FunctionDefinition;
import com.alibaba.dashscope.tools.ToolCallFunction;
import com.alibaba.dashscope.tools.ToolFunction;
import com.alibaba.dashscope.utils.JsonUtils;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

class Dash {
  static GenerationParam.GenerationParamBuilder<?, ?> asked() {
    var said = Message.builder().role("user").content(Main.PROMPT).build();
    return GenerationParam.builder().apiKey("x").model("qwen-matrix").resultFormat("message").messages(List.of(said));
  }

  static Message said(GenerationResult result) {
    return result.getOutput().getChoices().get(0).getMessage();
  }

  static List<String> streamed(Generation client, GenerationParam param) throws Exception {
    var events = client.streamCall(param).blockingIterable();
    return StreamSupport.stream(events.spliterator(), false).map(e -> said(e).getContent()).collect(Collectors.toList());
  }

  static void calls(String base, Map<String, Callable<Object>> calls) {
    var at = base + "/api/v1";
    var client = new Generation("http", at);
    var declared = FunctionDefinition.builder().name("get_weather")
        .parameters(JsonUtils.toJsonElement(Others.CITY).getAsJsonObject()).build();
    var offered = List.of(ToolFunction.builder().function(declared).build());
    var embed = TextEmbeddingParam.builder().apiKey("x").model("text-embedding-matrix")
        .texts(List.of(Main.PROMPT, "two")).build();
    var rerank = TextReRankParam.builder().apiKey("x").model("gte-rerank-matrix").query(Main.PROMPT)
        .documents(List.of("a", "b", "c")).build();
    var app = ApplicationParam.builder().apiKey("x").appId("a-matrix").prompt(Main.PROMPT).build();
    calls.put("chat", () -> said(client.call(asked().build())).getContent());
    calls.put("stream", () -> {
      var all = streamed(client, asked().build());
      return all.get(all.size() - 1);
    });
    calls.put("stream_pieces", () -> String.join("", streamed(client, asked().incrementalOutput(true).build())));
    calls.put("tools", () -> {
      var call = (ToolCallFunction) said(client.call(asked().tools(List.copyOf(offered)).build())).getToolCalls().get(0);
      var arguments = Main.JSON.readTree(call.getFunction().getArguments());
      return Others.tools(call.getFunction().getName(), arguments);
    });
    calls.put("embed", () -> Map.of("vectors",
        new TextEmbedding(at).call(embed).getOutput().getEmbeddings().size()));
    calls.put("rerank", () -> Map.of("vectors",
        new TextReRank("http", at).call(rerank).getOutput().getResults().size()));
    calls.put("app", () -> new Application(at).call(app).getOutput().getText());
  }
}
