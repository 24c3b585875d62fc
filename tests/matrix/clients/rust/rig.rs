// SPDX-License-Identifier: Apache-2.0
//! rig: Cohere by its own API and by the one that follows OpenAI's, and its vectors.
use crate::{Calls, Said, PROMPT};
use rig_core::completion::{CompletionRequest, ToolDefinition};
use rig_core::driver::Model;
use rig_core::message::ToolName;
use rig_core::providers::cohere::{ChatRoute, Cohere, CohereChat, CohereConfig};
use serde_json::{json, Value};

fn chats(client: &Cohere, route: ChatRoute) -> Model<CohereChat> {
    let mut model = client.completion("command-matrix");
    model.wire = model.wire.with_route(route);
    model
}

async fn chat(model: &Model<CohereChat>) -> Said {
    Ok(json!({"text": model.call(CompletionRequest::new(PROMPT)).await?.text()}))
}

async fn stream(model: &Model<CohereChat>) -> Said {
    Ok(json!({"text": model.stream(CompletionRequest::new(PROMPT))?.finish().await?.text()}))
}

async fn tools(model: &Model<CohereChat>) -> Said {
    let city = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let offered = ToolDefinition::new(ToolName::new("get_weather")?, "weather", city);
    let answer = model.call(CompletionRequest::new(PROMPT).tool(offered)).await?;
    let used: Vec<Value> = answer.tool_calls().map(|c| json!([c.function.name, c.function.arguments])).collect();
    Ok(json!({"tools": used}))
}

async fn embed(client: &Cohere) -> Said {
    let texts = vec![PROMPT.to_string(), "two".to_string()];
    Ok(json!({"vectors": client.embedding("embed-matrix", None).call(texts).await?.embeddings.len()}))
}

pub async fn rig(base: &str, calls: &mut Calls<'_>) {
    let client = CohereConfig::new("x").with_base_url(base).client();
    let (own, compatible) = (chats(&client, ChatRoute::Native), chats(&client, ChatRoute::Compatibility));
    calls.tell("chat", chat(&own).await);
    calls.tell("stream", stream(&own).await);
    calls.tell("tools", tools(&own).await);
    calls.tell("compatible", chat(&compatible).await);
    calls.tell("compatible_stream", stream(&compatible).await);
    calls.tell("embed", embed(&client).await);
}
