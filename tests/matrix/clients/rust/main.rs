// SPDX-License-Identifier: Apache-2.0
//! The Rust SDKs, each with what it can do: rust_sdks NAME. The protocol with the test is that of python_sdks.py.
mod others;
mod rig;

use async_openai::types::{chat::*, embeddings::CreateEmbeddingRequestArgs, responses::CreateResponseArgs};
use async_openai::{config::OpenAIConfig, Client};
use futures::StreamExt;
use serde_json::{json, Value};

pub const PROMPT: &str = "hello from the matrix";
pub type Failure = Box<dyn std::error::Error>;
pub type Said = Result<Value, Failure>;

pub struct Calls<'a> {
    base: &'a str,
}

impl Calls<'_> {
    /// The test knows a line by its first key.
    pub fn tell(&mut self, call: &str, said: Said) {
        let said = said.unwrap_or_else(|error| json!({"error": format!("{error}: {error:?}")})).to_string();
        println!("{{\"base\": {}, \"call\": {}, {}", json!(self.base), json!(call), &said[1..]);
    }
}

fn asked() -> Result<CreateChatCompletionRequest, Failure> {
    let user = ChatCompletionRequestUserMessageArgs::default().content(PROMPT).build()?;
    Ok(CreateChatCompletionRequestArgs::default().model("gpt-matrix").messages([user.into()]).build()?)
}

async fn chat(client: &Client<OpenAIConfig>) -> Said {
    let answer = client.chat().create(asked()?).await?;
    Ok(json!({"text": answer.choices[0].message.content}))
}

async fn stream(client: &Client<OpenAIConfig>) -> Said {
    let (mut parts, mut text) = (client.chat().create_stream(asked()?).await?, String::new());
    while let Some(part) = parts.next().await {
        for choice in part?.choices {
            text.push_str(choice.delta.content.as_deref().unwrap_or(""));
        }
    }
    Ok(json!({"text": text}))
}

async fn responses(client: &Client<OpenAIConfig>) -> Said {
    let asked = CreateResponseArgs::default().model("gpt-matrix").input(PROMPT).build()?;
    let answer = client.responses().create(asked).await?;
    Ok(json!({"text": answer.output_text().ok_or("no text")?}))
}

async fn embed(client: &Client<OpenAIConfig>) -> Said {
    let asked = CreateEmbeddingRequestArgs::default().model("embed-matrix").input([PROMPT, "two"]).build()?;
    Ok(json!({"vectors": client.embeddings().create(asked).await?.data.len()}))
}

async fn openai(base: &str, calls: &mut Calls<'_>) {
    let config = OpenAIConfig::new().with_api_base(format!("{base}/v1")).with_api_key("x");
    let client = Client::with_config(config);
    calls.tell("chat", chat(&client).await);
    calls.tell("stream", stream(&client).await);
    calls.tell("responses", responses(&client).await);
    calls.tell("embed", embed(&client).await);
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let sdk = std::env::args().nth(1).unwrap_or_default();
    let targets: Vec<Value> = serde_json::from_str(&std::env::var("MATRIX")?)?;
    for target in targets {
        let base = target["base"].as_str().unwrap_or("");
        let mut calls = Calls { base };
        match sdk.as_str() {
            "openai" => openai(base, &mut calls).await,
            "bedrock" => others::bedrock(base, &mut calls).await,
            "genai" => others::genai(base, &mut calls).await,
            "rig" => rig::rig(base, &mut calls).await,
            "ollama" => others::ollama(base, &mut calls).await,
            "anthropic" => others::anthropic(base, &mut calls).await,
            _ => return Err(format!("no such SDK: {sdk}").into()),
        }
    }
    Ok(())
}
