/** What tests with a real engine need: the Python environment and a model folder. */
import { existsSync } from 'node:fs';
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

function present(path: string, otherwise: string, inside = ''): string {
  if (!existsSync(join(path, inside))) throw new Error(`${otherwise} (${path})`);
  return path;
}
