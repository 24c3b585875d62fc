// SPDX-License-Identifier: Apache-2.0
//! async-openai: the protocol with the test is that of python_sdks.py.
use async_openai::{config::OpenAIConfig, types::chat::*, Client};
use futures::StreamExt;
use serde_json::{json, Value};

type Said = Result<String, Box<dyn std::error::Error>>;

fn asked() -> Result<CreateChatCompletionRequest, Box<dyn std::error::Error>> {
    let user = ChatCompletionRequestUserMessageArgs::default().content("hello from the matrix").build()?;
    Ok(CreateChatCompletionRequestArgs::default().model("gpt-matrix").messages([user.into()]).build()?)
}

async fn chat(client: &Client<OpenAIConfig>) -> Said {
    let answer = client.chat().create(asked()?).await?;
    Ok(answer.choices[0].message.content.clone().unwrap_or_default())
}

async fn stream(client: &Client<OpenAIConfig>) -> Said {
    let (mut parts, mut text) = (client.chat().create_stream(asked()?).await?, String::new());
    while let Some(part) = parts.next().await {
        for choice in part?.choices {
            text.push_str(choice.delta.content.as_deref().unwrap_or(""));
        }
    }
    Ok(text)
}

fn tell(base: &str, call: &str, said: Said) {
    let (key, value) = said.map_or_else(|error| ("error", error.to_string()), |text| ("text", text));
    println!("{{\"base\": {}, \"call\": \"{call}\", \"{key}\": {}}}", json!(base), json!(value));
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let targets: Vec<Value> = serde_json::from_str(&std::env::var("MATRIX")?)?;
    for target in targets {
        let base = target["base"].as_str().unwrap_or("");
        let config = OpenAIConfig::new().with_api_base(format!("{base}/v1")).with_api_key("x");
        let client = Client::with_config(config);
        tell(base, "chat", chat(&client).await);
        tell(base, "stream", stream(&client).await);
    }
    Ok(())
}
