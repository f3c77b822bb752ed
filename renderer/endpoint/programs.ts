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

export const PROGRAMS: readonly Program[] = [
  {
    name: 'Open WebUI',
    where: 'Into Terminal. Then open http://localhost:3000.',
    // From inside its container this Mac has another name.
    text: ({ url, key }) =>
      [
        'docker run -d --name open-webui -p 3000:8080 \\',
        '  -v open-webui:/app/backend/data \\',
        `  -e OPENAI_API_BASE_URL=${quoted(url.replace('127.0.0.1', 'host.docker.internal'))} \\`,
        `  -e OPENAI_API_KEY=${quoted(key)} \\`,
        '  ghcr.io/open-webui/open-webui:main',
      ].join('\n'),
  },
  {
    name: 'Continue',
    where: 'Into ~/.continue/config.yaml, under “models:”.',
    text: ({ url, key, model }) =>
      [
        '  - name: Headroom',
        '    provider: openai',
        `    model: ${JSON.stringify(model)}`,
        `    apiBase: ${url}`,
        `    apiKey: ${key}`,
        '    roles: [chat, edit, apply]',
      ].join('\n'),
  },
  {
    name: 'Zed',
    where: 'Into Zed’s settings.json. It asks for the key in its agent’s settings.',
    text: ({ url, key, model, contextTokens }) =>
      [
        `// The key, for the agent’s settings under “Headroom”: ${key}`,
        '"language_models": {',
        '  "openai_compatible": {',
        '    "Headroom": {',
        `      "api_url": ${JSON.stringify(url)},`,
        '      "available_models": [',
        `        { "name": ${JSON.stringify(model)}, "max_tokens": ${contextTokens},`,
        '          "capabilities": { "tools": true, "images": false } }',
        '      ]',
        '    }',
        '  }',
        '}',
      ].join('\n'),
  },
  {
    name: 'aider',
    where: 'Into Terminal, in the project’s folder.',
    text: ({ url, key, model }) =>
      [
        `OPENAI_API_BASE=${quoted(url)} \\`,
        `OPENAI_API_KEY=${quoted(key)} \\`,
        `aider --model ${quoted(`openai/${model}`)}`,
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
        `  api_base: ${url}`,
        '  api_key_name: headroom',
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
