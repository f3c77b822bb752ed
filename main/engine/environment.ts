/** What the engine's process may see of our environment: named variables only, nothing by accident. */

const INHERITED = ['HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'LC_CTYPE', 'PATH'] as const;

export interface EngineEnvironmentOptions {
  readonly token: string;
  /** Folder the Hugging Face library may look into; it must exist, and nothing is ever downloaded. */
  readonly cacheFolder: string;
}

/** The child's whole environment. The token travels here and never in argv, which every user of the machine can read. */
export function engineEnvironment(
  ours: Readonly<Record<string, string | undefined>>,
  { token, cacheFolder }: EngineEnvironmentOptions,
): Record<string, string> {
  const inherited = INHERITED.flatMap((name) => {
    const value = ours[name];
    return value === undefined || value === '' ? [] : [[name, value] as const];
  });
  return {
    PATH: '/usr/bin:/bin:/usr/sbin:/sbin',
    ...Object.fromEntries(inherited),
    HF_HOME: cacheFolder,
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
    TOKENIZERS_PARALLELISM: 'false',
    HEADROOM_ENGINE_TOKEN: token,
  };
}
