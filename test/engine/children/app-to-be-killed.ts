/**
 * An app with nothing but the engine in it, for killing. Prints the engine's pid and every state on stdout.
 *
 * argv: <python> <model folder> <folder for sockets> [generate]
 */
import { createSupervisor, pythonCommand } from '../../../main/engine/supervisor.ts';
import { makeSocketFolder } from '../../../main/engine/socket-folder.ts';
import { terminalSpawner } from '../../../main/engine/spawner.ts';
import { longPrompt } from '../fixtures.ts';

const [, , python = '', model = '', sockets = '', generate] = process.argv;

const engine = createSupervisor({
  spawner: {
    spawn(command, handlers) {
      const child = terminalSpawner.spawn(command, handlers);
      process.stdout.write(`pid ${child.pid}\n`);
      return child;
    },
  },
  log: () => undefined,
  command: pythonCommand(python),
  cacheFolder: sockets,
  makeSocketFolder: () => makeSocketFolder(sockets),
});
engine.subscribe((state) => process.stdout.write(`${state.kind}\n`));

await engine.start({ folder: model, name: 'model' });
if (generate !== undefined) {
  const request = {
    messages: [{ role: 'user' as const, content: longPrompt }],
    effort: 'low' as const,
    date: '2026-01-02',
    maxTokens: 1_000,
  };
  for await (const event of engine.generate(request, { signal: new AbortController().signal, priority: 'window' })) {
    if (event.kind === 'prefill' && event.doneTokens > 0) process.stdout.write('prefill\n');
  }
}
setInterval(() => undefined, 1_000);
