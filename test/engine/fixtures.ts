/** What tests with a real engine need: the Python environment and a model folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** The engine's Python, from the locked environment. */
export const pythonExecutable = present(
  join(root, 'python-runtime', '.venv', 'bin', 'python'),
  'The Python environment is missing. Run npm test, which prepares it, instead of vitest alone.',
);

/** The demo model, or another model's folder named by HEADROOM_TEST_MODEL. */
export const modelFolder = present(
  process.env['HEADROOM_TEST_MODEL'] ?? join(root, 'python-runtime', 'models', 'headroom-demo'),
  'The model to test with is missing. It is part of the checkout; HEADROOM_TEST_MODEL names another.',
  'config.json',
);

/** A prompt that takes the engine a while to read, within what the model was made for. Whole words of five letters. */
export const longPrompt = ((): string => {
  const config = JSON.parse(readFileSync(join(modelFolder, 'config.json'), 'utf8')) as Record<string, unknown>;
  const tokens = Math.min(Number(config['max_position_embeddings'] ?? 4_096), 100_000);
  // At worst every letter is a token.
  return 'word '.repeat(Math.floor((0.8 * tokens) / 5));
})();

function present(path: string, otherwise: string, inside = ''): string {
  if (!existsSync(join(path, inside))) throw new Error(`${otherwise} (${path})`);
  return path;
}
