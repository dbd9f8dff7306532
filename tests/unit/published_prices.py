"""Prices that AWS publishes, USD for a million tokens of input and output, as its price list was transcribed by others.

Where our own book has a price that it calls neither foreign nor unknown, it has to be this one.
"""

PUBLISHED: dict[tuple[str, str], tuple[float, float]] = {
    # Anthropic: global profiles, then geographic ones at 1.1 times as much
    ("global.anthropic.claude-opus-5-5", "eu-west-2"): (4.0, 20.0),
    ("global.anthropic.claude-opus-5", "us-east-1"): (5.0, 25.0),
    ("global.anthropic.claude-sonnet-5-5", "ap-northeast-1"): (2.0, 10.0),
    ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "eu-west-2"): (3.0, 15.0),
    ("global.anthropic.claude-haiku-4-5-20251001-v1:0", "us-east-1"): (1.0, 5.0),
    ("global.anthropic.claude-haiku-5-5", "us-east-1"): (0.1, 0.5),
    ("us.anthropic.claude-opus-5-5", "us-east-1"): (4.4, 22.0),
    ("us.anthropic.claude-sonnet-5-5", "us-west-2"): (2.2, 11.0),
    ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1"): (3.3, 16.5),
    ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "eu-west-2"): (3.3, 16.5),
    ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us-east-1"): (1.1, 5.5),
    ("us.anthropic.claude-sonnet-4-20250514-v1:0", "us-east-1"): (3.0, 15.0),
    ("us.anthropic.claude-3-7-sonnet-20250219-v1:0", "us-east-1"): (3.0, 15.0),
    ("anthropic.claude-3-haiku-20240307-v1:0", "us-east-1"): (0.25, 1.25),
    ("anthropic.claude-3-haiku-20240307-v1:0", "us-gov-west-1"): (0.3, 1.5),
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", "us-east-1"): (3.0, 15.0),
    ("anthropic.claude-sonnet-4-5-20250929-v1:0", "us-gov-west-1"): (3.6, 18.0),
    ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "us-gov-west-1"): (3.6, 18.0),
    # Amazon
    ("us.amazon.nova-lite-v1:0", "us-east-1"): (0.06, 0.24),
    ("eu.amazon.nova-lite-v1:0", "eu-west-2"): (0.078, 0.312),
    ("apac.amazon.nova-lite-v1:0", "ap-northeast-1"): (0.063, 0.252),
    ("amazon.nova-micro-v1:0", "us-east-1"): (0.035, 0.14),
    ("amazon.nova-pro-v1:0", "us-east-1"): (0.8, 3.2),
    ("amazon.nova-pro-v1:0", "us-gov-west-1"): (0.96, 3.84),
    ("eu.amazon.nova-pro-v1:0", "eu-west-2"): (1.05, 4.2),
    ("us.amazon.nova-2-lite-v1:0", "us-east-1"): (0.33, 2.75),
    ("global.amazon.nova-2-lite-v1:0", "eu-west-2"): (0.3, 2.5),
    ("eu.amazon.nova-2-lite-v1:0", "eu-west-2"): (0.429, 3.597),
    ("jp.amazon.nova-2-lite-v1:0", "ap-northeast-1"): (0.396, 3.311),
    # Meta
    ("meta.llama3-70b-instruct-v1:0", "us-east-1"): (2.65, 3.5),
    ("meta.llama3-70b-instruct-v1:0", "eu-west-2"): (3.45, 4.55),
    ("meta.llama3-8b-instruct-v1:0", "ap-south-1"): (0.36, 0.72),
    ("us.meta.llama4-maverick-17b-instruct-v1:0", "us-east-1"): (0.24, 0.97),
    ("eu.meta.llama3-2-1b-instruct-v1:0", "eu-west-2"): (0.13, 0.13),
    # Mistral
    ("mistral.mistral-large-3-675b-instruct", "us-east-1"): (0.5, 1.5),
    ("mistral.mistral-7b-instruct-v0:2", "eu-west-3"): (0.2, 0.26),
    ("mistral.voxtral-small-24b-2507", "eu-west-2"): (0.16, 0.47),
    # OpenAI
    ("openai.gpt-oss-120b-1:0", "us-east-1"): (0.15, 0.6),
    ("openai.gpt-oss-120b-1:0", "us-gov-west-1"): (0.18, 0.72),
    ("global.openai.gpt-6.1-sol", "eu-west-2"): (2.0, 10.0),
    ("us.openai.gpt-6.1-sol", "us-east-1"): (2.2, 11.0),
    ("global.openai.gpt-5.6-sol", "us-east-1"): (4.0, 20.0),
    # Moonshot, Z.ai, xAI
    ("global.moonshotai.kimi-k3", "us-east-1"): (3.0, 15.0),
    ("us.moonshotai.kimi-k3", "us-east-1"): (3.3, 16.5),
    ("global.zai.glm-5.3", "us-east-1"): (1.68, 5.28),
    ("global.xai.grok-4.7", "us-east-1"): (2.0, 6.0),
    # NVIDIA, Qwen, DeepSeek, MiniMax
    ("nvidia.nemotron-super-3-120b", "us-east-1"): (0.15, 0.65),
    ("nvidia.nemotron-super-3-120b", "eu-west-2"): (0.23, 1.01),
    ("qwen.qwen3-32b-v1:0", "us-east-1"): (0.15, 0.6),
    ("deepseek.v3.2", "us-east-1"): (0.62, 1.85),
    ("minimax.minimax-m2.5", "us-east-1"): (0.3, 1.2),
}
