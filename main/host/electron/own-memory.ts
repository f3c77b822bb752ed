/** What the app's own processes take, of Electron's figures: main, GPU, the window's and the helpers. */

export interface ProcessFigures {
  /** Resident kibibytes, shared pages counted in each: rather too much than too little. */
  readonly memory: { readonly workingSetSize: number };
}

export const ownProcessesMiB = (processes: readonly ProcessFigures[]): number =>
  processes.reduce((sum, { memory }) => sum + memory.workingSetSize, 0) / 1_024;
