/**
 * A process that does nothing but watch memory, for the bench of what that costs. Arguments: idle, hidden or shown; real
 * seconds; how much faster than real its clock runs; folder of the stand-in commands. Prints CPU seconds, its own and
 * its commands'.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../main/engine/clock.ts';
import { type CommandName, commandsAt } from '../../main/memory/commands.ts';
import { createMemoryMonitor } from '../../main/memory/monitor.ts';
import { readMemory } from '../../main/memory/reading.ts';

const [arm = 'idle', seconds = '20', speed = '60', folder = ''] = process.argv.slice(2);
const WARM_UP_MS = 1_500;
/** Linux counts a process's time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** Own time and that of children which have ended. */
function cpuSeconds(): number {
  const text = readFileSync('/proc/self/stat', 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
}

const beganMs = performance.now();
const fastClock: Clock = {
  nowMs: () => 1_000_000 + (performance.now() - beganMs) * Number(speed),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs / Number(speed));
    return () => clearTimeout(timer);
  },
};

let samples = 0;
if (arm !== 'idle') {
  const commands = commandsAt(
    new Proxy({} as Record<CommandName, string>, { get: (_, name) => join(folder, String(name)) }),
  );
  const monitor = createMemoryMonitor({
    read: () => readMemory(commands),
    engineActiveBytes: () => null,
    clock: fastClock,
    log: () => {},
  });
  monitor.subscribe(() => (samples += 1));
  monitor.setVisible(arm === 'shown');
}

setTimeout(() => {
  const before = { cpu: cpuSeconds(), samples };
  setTimeout(() => {
    process.stdout.write(
      `${JSON.stringify({ cpuSeconds: cpuSeconds() - before.cpu, samples: samples - before.samples })}\n`,
    );
    process.exit(0);
  }, Number(seconds) * 1_000);
}, WARM_UP_MS);
