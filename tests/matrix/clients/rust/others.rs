// SPDX-License-Identifier: Apache-2.0
//! The crates beside async-openai: Bedrock's SDK, genai with four formats, ollama-rs, anthropic-ai-sdk.
use crate::{Calls, Failure, Said, PROMPT};
use anthropic_ai_sdk::client::{AnthropicClient, AnthropicClientBuilder};
use anthropic_ai_sdk::types::message as claude;
use anthropic_ai_sdk::types::message::MessageClient;
use aws_sdk_bedrockruntime as bedrock;
use aws_sdk_bedrockruntime::types as aws;
use futures::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatRequest, ChatStreamEvent, Tool};
use genai::resolver::{AuthData, Endpoint};
use genai::{ModelIden, ServiceTarget};
use ollama_rs::generation::{chat::request::ChatMessageRequest, chat::ChatMessage as OllamaMessage, completion::request::GenerationRequest};
use serde_json::{json, Value};

const MODEL: &str = "anthropic.claude-matrix-v1:0";

fn city() -> Value {
    json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})
}

pub async fn bedrock(base: &str, calls: &mut Calls<'_>) {
    let keys = bedrock::config::Credentials::new("x", "x", None, None, "matrix");
    let config = bedrock::Config::builder()
        .behavior_version_latest()
        .region(bedrock::config::Region::new("us-east-1"))
        .endpoint_url(base)
        .credentials_provider(keys)
        .build();
    let client = bedrock::Client::from_conf(config);
    calls.tell("chat", converse(&client).await);
    calls.tell("stream", converse_stream(&client).await);
    calls.tell("invoke", invoke(&client).await);
    calls.tell("invoke_stream", invoke_stream(&client).await);
}

fn said() -> Result<aws::Message, Failure> {
    let content = aws::ContentBlock::Text(PROMPT.into());
    Ok(aws::Message::builder().role(aws::ConversationRole::User).content(content).build()?)
}

async fn converse(client: &bedrock::Client) -> Said {
    let answer = client.converse().model_id(MODEL).messages(said()?).send().await?;
    let message = answer.output().ok_or("no output")?.as_message().map_err(|_| "no message")?;
    Ok(json!({"text": message.content()[0].as_text().map_err(|_| "no text")?}))
}

async fn converse_stream(client: &bedrock::Client) -> Said {
    let mut answer = client.converse_stream().model_id(MODEL).messages(said()?).send().await?;
    let mut text = String::new();
    while let Some(event) = answer.stream.recv().await? {
        if let aws::ConverseStreamOutput::ContentBlockDelta(delta) = event {
            if let Some(aws::ContentBlockDelta::Text(part)) = delta.delta {
                text.push_str(&part);
            }
        }
    }
    Ok(json!({"text": text}))
}

fn raw() -> bedrock::primitives::Blob {
    let body = json!({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100,
        "messages": [{"role": "user", "content": PROMPT}]});
    bedrock::primitives::Blob::new(body.to_string())
}

async fn invoke(client: &bedrock::Client) -> Said {
    let answer = client.invoke_model().model_id(MODEL).content_type("application/json").body(raw()).send().await?;
    let body: Value = serde_json::from_slice(answer.body().as_ref())?;
    Ok(json!({"text": body["content"][0]["text"]}))
}

async fn invoke_stream(client: &bedrock::Client) -> Said {
    let asked = client.invoke_model_with_response_stream().model_id(MODEL).content_type("application/json");
    let (mut answer, mut text) = (asked.body(raw()).send().await?, String::new());
    while let Some(event) = answer.body.recv().await? {
        if let aws::ResponseStream::Chunk(part) = event {
            let part: Value = serde_json::from_slice(part.bytes().ok_or("no bytes")?.as_ref())?;
            text.push_str(part["delta"]["text"].as_str().unwrap_or(""));
        }
    }
    Ok(json!({"text": text}))
}

pub async fn genai(base: &str, calls: &mut Calls<'_>) {
    let client = match genai::Client::new() {
        Ok(client) => client,
        Err(error) => return calls.tell("chat", Err(error.into())),
    };
    for (name, kind, path) in [
        ("gpt-matrix", AdapterKind::OpenAI, "/v1/"),
        ("claude-matrix", AdapterKind::Anthropic, "/v1/"),
        ("gemini-matrix", AdapterKind::Gemini, "/v1beta/"),
        ("llama-matrix", AdapterKind::Ollama, "/"),
        ("command-matrix", AdapterKind::Cohere, "/v1/"),
    ] {
        let target = || ServiceTarget {
            endpoint: Endpoint::from_owned(format!("{base}{path}")),
            auth: AuthData::from_single("x"),
            model: ModelIden::new(kind, name),
        };
        calls.tell(&format!("{name} chat"), genai_chat(&client, target()).await);
        calls.tell(&format!("{name} stream"), genai_stream(&client, target()).await);
        if name.starts_with("command") {
            continue; // its adapter offers no tools
        }
        calls.tell(&format!("{name} tools"), genai_tools(&client, target()).await);
    }
}

fn genai_asked() -> ChatRequest {
    ChatRequest::new(vec![ChatMessage::user(PROMPT)])
}

async fn genai_chat(client: &genai::Client, target: ServiceTarget) -> Said {
    let answer = client.exec_chat(target, genai_asked(), None).await?;
    Ok(json!({"text": answer.first_text().ok_or("no text")?}))
}

async fn genai_stream(client: &genai::Client, target: ServiceTarget) -> Said {
    let (mut parts, mut text) = (client.exec_chat_stream(target, genai_asked(), None).await?.stream, String::new());
    while let Some(part) = parts.next().await {
        if let ChatStreamEvent::Chunk(chunk) = part? {
            text.push_str(&chunk.content);
        }
    }
    Ok(json!({"text": text}))
}

async fn genai_tools(client: &genai::Client, target: ServiceTarget) -> Said {
    let offered = Tool::new("get_weather").with_description("weather").with_schema(city());
    let answer = client.exec_chat(target, genai_asked().with_tools(vec![offered]), None).await?;
    let used: Vec<Value> = answer.into_tool_calls().into_iter().map(|c| json!([c.fn_name, c.fn_arguments])).collect();
    Ok(json!({"tools": used}))
}

pub async fn ollama(base: &str, calls: &mut Calls<'_>) {
    let client = match ollama_rs::Ollama::try_new(format!("{base}/")) {
        Ok(client) => client,
        Err(error) => return calls.tell("chat", Err(error.into())),
    };
    let asked = || ChatMessageRequest::new("llama-matrix".into(), vec![OllamaMessage::user(PROMPT.into())]);
    let whole = client.send_chat_messages(asked()).await;
    calls.tell("chat", whole.map(|answer| json!({"text": answer.message.content})).map_err(Failure::from));
    calls.tell("stream", ollama_stream(&client, asked()).await);
    let whole = client.generate(GenerationRequest::new("llama-matrix".into(), PROMPT)).await;
    calls.tell("generate", whole.map(|answer| json!({"text": answer.response})).map_err(Failure::from));
}

async fn ollama_stream(client: &ollama_rs::Ollama, asked: ChatMessageRequest) -> Said {
    let (mut parts, mut text) = (client.send_chat_messages_stream(asked).await?, String::new());
    while let Some(part) = parts.next().await {
        text.push_str(&part.map_err(|()| "a broken part")?.message.content);
    }
    Ok(json!({"text": text}))
}

pub async fn anthropic(base: &str, calls: &mut Calls<'_>) {
    let builder = AnthropicClientBuilder::new("x", "2023-06-01").with_api_base_url(format!("{base}/v1"));
    let client: AnthropicClient = match builder.build::<claude::MessageError>() {
        Ok(client) => client,
        Err(error) => return calls.tell("chat", Err(error.into())),
    };
    calls.tell("chat", claude_chat(&client).await);
    calls.tell("stream", claude_stream(&client).await);
    calls.tell("tools", claude_tools(&client).await);
}

fn claude_asked() -> claude::CreateMessageParams {
    claude::CreateMessageParams::new(claude::RequiredMessageParams {
        model: "claude-matrix".into(),
        messages: vec![claude::Message::new_text(claude::Role::User, PROMPT)],
        max_tokens: 100,
    })
}

async fn claude_chat(client: &AnthropicClient) -> Said {
    match client.create_message(Some(&claude_asked())).await?.content.first() {
        Some(claude::ContentBlock::Text { text }) => Ok(json!({"text": text})),
        _ => Err("no text".into()),
    }
}

async fn claude_stream(client: &AnthropicClient) -> Said {
    let asked = claude_asked().with_stream(true);
    let (parts, mut text) = (client.create_message_streaming(&asked).await?, String::new());
    futures::pin_mut!(parts);
    while let Some(part) = parts.next().await {
        if let claude::StreamEvent::ContentBlockDelta { delta: claude::ContentBlockDelta::TextDelta { text: part }, .. } = part? {
            text.push_str(&part);
        }
    }
    Ok(json!({"text": text}))
}

async fn claude_tools(client: &AnthropicClient) -> Said {
    let offered = claude::Tool { name: "get_weather".into(), description: None, input_schema: city() };
    match client.create_message(Some(&claude_asked().with_tools(vec![offered]))).await?.content.first() {
        Some(claude::ContentBlock::ToolUse { name, input, .. }) => Ok(json!({"tools": [[name, input]]})),
        _ => Err("no tool".into()),
    }
}
