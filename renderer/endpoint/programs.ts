/** Settings for other programs, ready to be pasted: each with the address, the model and a key of its own. Pure. */

export interface Connection {
  /** `http://127.0.0.1:8080/v1` */
  readonly url: string;
  readonly key: string;
  /** What programs call the model. */
  readonly model: string;
  /** The user's ceiling. */
  readonly contextTokens: number;
}

export interface Program {
  readonly name: string;
  /** Where the text goes. */
  readonly where: string;
  text(connection: Connection): string;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What they send before the first word of the user is 40 and 50 kB: 10,000 to 12,000 tokens. */
const ROOM_FOR_AGENTS = 'It needs a context of 16,000 tokens or more.';

export const PROGRAMS: readonly Program[] = [
  {
    name: 'Open WebUI',
    where: 'Into Terminal. Then open http://localhost:3000.',
    // From inside its container this Mac has another name.
    text: ({ url, key }) =>
      [
        'docker run -d --name open-webui -p 3000:8080 \\',
        '  --add-host=host.docker.internal:host-gateway \\',
        '  -v open-webui:/app/backend/data \\',
        `  -e OPENAI_API_BASE_URL=${quoted(url.replace('127.0.0.1', 'host.docker.internal'))} \\`,
        `  -e OPENAI_API_KEY=${quoted(key)} \\`,
        '  ghcr.io/open-webui/open-webui:main',
      ].join('\n'),
  },
  {
    name: 'Continue',
    where: 'Into ~/.continue/config.yaml, under “models:”.',
    text: ({ url, key, model, contextTokens }) =>
      [
        '  - name: Headroom',
        '    provider: openai',
        `    model: ${JSON.stringify(model)}`,
        `    apiBase: ${JSON.stringify(url)}`,
        `    apiKey: ${JSON.stringify(key)}`,
        '    roles: [chat, edit, apply]',
        '    capabilities: [tool_use]',
        '    defaultCompletionOptions:',
        `      contextLength: ${contextTokens}`,
      ].join('\n'),
  },
  {
    name: 'Zed',
    where: 'Into Zed’s settings.json, inside its outer braces. The key goes into the agent’s settings, under Headroom.',
    text: ({ url, key, model, contextTokens }) =>
      [
        `// The key, for the agent’s settings under “Headroom”: ${key}`,
        '"language_models": {',
        '  "openai_compatible": {',
        '    "Headroom": {',
        `      "api_url": ${JSON.stringify(url)},`,
        '      "available_models": [',
        '        {',
        `          "name": ${JSON.stringify(model)},`,
        `          "max_tokens": ${contextTokens},`,
        '          "capabilities": {',
        '            "tools": true,',
        '            "images": false,',
        '            "parallel_tool_calls": false,',
        '            "prompt_cache_key": false',
        '          }',
        '        }',
        '      ]',
        '    }',
        '  }',
        // What follows in the file may be another setting; Zed takes a comma before its last brace too.
        '},',
      ].join('\n'),
  },
  {
    name: 'Claude Code',
    where: `Into Terminal, in the project’s folder. ${ROOM_FOR_AGENTS}`,
    text: ({ url, key, model, contextTokens }) =>
      [
        // Its own path begins with /v1.
        `ANTHROPIC_BASE_URL=${quoted(url.replace(/\/v1$/, ''))} \\`,
        `ANTHROPIC_AUTH_TOKEN=${quoted(key)} \\`,
        `ANTHROPIC_MODEL=${quoted(model)} \\`,
        // What it does on the side it would ask other models for.
        ...['HAIKU', 'SONNET', 'OPUS'].map((size) => `ANTHROPIC_DEFAULT_${size}_MODEL=${quoted(model)} \\`),
        `CLAUDE_CODE_MAX_CONTEXT_TOKENS=${contextTokens} \\`,
        'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 \\',
        'claude',
      ].join('\n'),
  },
  {
    name: 'Codex',
    where: `Into Terminal, in the project’s folder. ${ROOM_FOR_AGENTS}`,
    text: ({ url, key, model, contextTokens }) =>
      [
        `HEADROOM_KEY=${quoted(key)} \\`,
        'codex -c model_provider=headroom \\',
        `  -c ${quoted(`model_providers.headroom={name="Headroom",base_url=${JSON.stringify(url)},env_key="HEADROOM_KEY",wire_api="responses"}`)} \\`,
        `  -c model_context_window=${contextTokens} -m ${quoted(model)}`,
      ].join('\n'),
  },
  {
    name: 'aider',
    where: 'Into Terminal, in the project’s folder.',
    text: ({ url, key, model }) =>
      [
        `OPENAI_API_BASE=${quoted(url)} \\`,
        `OPENAI_API_KEY=${quoted(key)} \\`,
        `aider --no-show-model-warnings --model ${quoted(`openai/${model}`)}`,
      ].join('\n'),
  },
  {
    name: 'llm',
    where: 'Into Terminal. Then: llm -m headroom "Hello".',
    text: ({ url, key, model }) =>
      [
        `llm keys set headroom --value ${quoted(key)}`,
        'cat >> "$(dirname "$(llm logs path)")/extra-openai-models.yaml" <<\'END\'',
        '- model_id: headroom',
        `  model_name: ${JSON.stringify(model)}`,
        `  api_base: ${JSON.stringify(url)}`,
        '  api_key_name: headroom',
        '  supports_tools: true',
        '  supports_schema: true',
        'END',
      ].join('\n'),
  },
  {
    name: 'LangChain',
    where: 'Python, with langchain-openai.',
    text: ({ url, key, model }) =>
      [
        'from langchain_openai import ChatOpenAI',
        '',
        'model = ChatOpenAI(',
        `    model=${JSON.stringify(model)},`,
        `    base_url=${JSON.stringify(url)},`,
        `    api_key=${JSON.stringify(key)},`,
        ')',
      ].join('\n'),
  },
  {
    name: 'curl',
    where: 'Into Terminal.',
    text: ({ url, key }) =>
      [
        `curl ${url}/chat/completions \\`,
        `  -H ${quoted(`Authorization: Bearer ${key}`)} \\`,
        "  -H 'Content-Type: application/json' \\",
        `  -d '{"messages": [{"role": "user", "content": "Hello"}]}'`,
      ].join('\n'),
  },
];
