/**
 * The kernel's word on memory, as a test gives it: what Linux would say is the machine's own business, and other tests
 * run beside this one. Loaded before main; the product reads the same files as ever.
 */
import fs from 'node:fs';

/** Kept as `globalThis.headroomKernel` in main. */
export interface KernelStandIn {
  /** Share of the last ten seconds in which some task waited for memory, 0 to 100. */
  waitingPercent: number;
}

const kernel: KernelStandIn = { waitingPercent: 0 };
Object.assign(globalThis, { headroomKernel: kernel });

const { readFile } = fs.promises;
const standIn: typeof readFile = ((path: string, ...rest: never[]) =>
  path === '/proc/pressure/memory'
    ? Promise.resolve(`some avg10=${kernel.waitingPercent.toFixed(2)} avg60=0.00 avg300=0.00 total=0\n`)
    : readFile(path, ...rest)) as typeof readFile;
fs.promises.readFile = standIn;
