/** Chance that can be repeated: HEADROOM_SEED=<number> runs the same story again. */
export function storySeed(): number {
  const seed = Number(process.env['HEADROOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  process.stderr.write(`engine faults: HEADROOM_SEED=${seed}\n`);
  return seed;
}

/** mulberry32: 32 bits of state are plenty for choosing what to break next. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
