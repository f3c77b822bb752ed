import { useEffect, useId } from 'react';
import type { MemorySample, PressureLevel } from '../../preload/contract.ts';
import { useMemory, useMirror, useMirrored } from '../mirror/react.ts';
import { Button } from '../ui/button.tsx';
import { exactMiB, memory } from '../ui/numbers.ts';
import { Sheet } from '../ui/sheet.tsx';
import { Switch } from '../ui/switch.tsx';
import { limitSummary } from '../wired-limit/limit-words.ts';
import { Dial } from './dial.tsx';
import { LevelMark } from './level-mark.tsx';
import { HISTORY_MS } from './memory-history.ts';
import styles from './memory-sheet.module.css';
import { MemoryUsers } from './memory-users.tsx';
import { ENGINE_SOURCE, gaugeSpoken, LEVEL_BOUNDS, LEVEL_WORDS, levelExplained, SOURCES } from './pressure-words.ts';
import { Sourced, Sources } from './sourced.tsx';
import { PressureLine, Sparkline } from './sparkline.tsx';

interface Props {
  readonly onClose: () => void;
  readonly onWiredLimit: () => void;
}

/** The gauge, explained: what the colour means, how it came to it, who uses the memory and what can be done. */
export function MemorySheet({ onClose, onWiredLimit }: Props) {
  const samples = useMemory((state) => state.samples);
  const latest = samples.at(-1);
  if (latest === undefined) return null;
  return (
    <Sheet label="Memory" width="full" onClose={onClose}>
      <Sources>
        <div className={styles.body}>
          <Now latest={latest} />
          <Shares latest={latest} />
          <History samples={samples} latest={latest} />
          <MemoryUsers source={latest.source} />
          <Controls onWiredLimit={onWiredLimit} />
        </div>
      </Sources>
    </Sheet>
  );
}

const LEVELS = ['normal', 'warning', 'critical'] as const satisfies readonly PressureLevel[];

function Now({ latest }: { readonly latest: MemorySample }) {
  const { level, source, needle } = latest;
  return (
    <section className={styles.now} aria-label="Now">
      <div
        className={styles.dial}
        role="meter"
        aria-label="Memory pressure"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(needle * 100)}
        aria-valuetext={gaugeSpoken(latest)}
      >
        <Dial level={level} needle={needle} size="large" />
      </div>
      <div>
        <h2 className={styles.level} tabIndex={-1} data-first-focus>
          <Sourced source={SOURCES[source].level}>{LEVEL_WORDS[level]} pressure</Sourced>
        </h2>
        <p className={styles.explained}>{levelExplained(level, source)}</p>
      </div>
      <details className={styles.legend}>
        <summary>What the colours mean</summary>
        <dl>
          {LEVELS.map((name) => (
            <div key={name}>
              <dt>
                <LevelMark level={name} />
                {LEVEL_WORDS[name]}
              </dt>
              <dd>{LEVEL_BOUNDS[source][name]}</dd>
            </div>
          ))}
        </dl>
        <p>
          {source === 'macos'
            ? 'The colour is the kernel’s own verdict, never a share of used memory.'
            : 'The colour follows the time programs wait for memory, never a share of used memory.'}
        </p>
      </details>
    </section>
  );
}

/** One bar: the model, everything else, what is left. */
function Shares({ latest }: { readonly latest: MemorySample }) {
  const { totalBytes, availableBytes, engineActiveBytes, source } = latest;
  if (availableBytes === null || totalBytes <= 0) return null;
  const modelBytes = Math.min(engineActiveBytes ?? 0, totalBytes - availableBytes);
  const otherBytes = Math.max(0, totalBytes - availableBytes - modelBytes);
  const percent = (bytes: number): string => `${(bytes / totalBytes) * 100}%`;
  return (
    <section className={styles.section} aria-label="Shares">
      <h3 className={styles.title}>
        Memory, <Sourced source={SOURCES[source].total}>{memory(totalBytes)}</Sourced>
      </h3>
      <div className={styles.bar} aria-hidden>
        <span className={styles.modelShare} style={{ width: percent(modelBytes) }} />
        <span className={styles.otherShare} style={{ width: percent(otherBytes) }} />
      </div>
      <dl className={styles.shares}>
        {engineActiveBytes !== null && (
          <div>
            <dt data-share="model">Model</dt>
            <dd>
              <Sourced source={ENGINE_SOURCE}>{memory(engineActiveBytes)}</Sourced>
            </dd>
          </div>
        )}
        <div>
          <dt data-share="other">Everything else</dt>
          <dd>
            <Sourced source={`${SOURCES[source].total}, less the other two`}>{memory(otherBytes)}</Sourced>
          </dd>
        </div>
        <div>
          <dt data-share="free">Available</dt>
          <dd>
            <Sourced source={SOURCES[source].available}>{memory(availableBytes)}</Sourced>
          </dd>
        </div>
      </dl>
    </section>
  );
}

function History({ samples, latest }: { readonly samples: readonly MemorySample[]; readonly latest: MemorySample }) {
  const source = SOURCES[latest.source];
  const span = { fromMs: latest.atMs - HISTORY_MS, toMs: latest.atMs };
  const of = (pick: (sample: MemorySample) => number | null) =>
    samples.flatMap((sample) => {
      const value = pick(sample);
      return value === null ? [] : [{ atMs: sample.atMs, value }];
    });
  const swap = of(({ swapUsedBytes }) => swapUsedBytes);
  // Below a gibibyte of swap nothing is worth a high curve.
  const swapTop = Math.max(1_073_741_824, ...swap.map(({ value }) => value * 1.1));
  const wired = of(({ wiredBytes }) => wiredBytes);
  const engine = of(({ engineActiveBytes }) => engineActiveBytes);
  const rate = latest.swapOutBytesPerSecond;
  const spoken = (name: string, points: readonly { readonly value: number }[]): string => {
    const values = points.map(({ value }) => value);
    return `${name} over the last ten minutes, ${memory(Math.min(...values))} to ${memory(Math.max(...values))}`;
  };
  return (
    <section className={styles.section} aria-labelledby="history-title">
      <h3 className={styles.title} id="history-title">
        Last 10 minutes
      </h3>
      <div className={styles.curves}>
        <span>Pressure</span>
        <PressureLine
          label={`Pressure over the last ten minutes, ${levelsSpoken(samples)}`}
          points={samples.map(({ atMs, needle, level }) => ({ atMs, value: needle, level }))}
          frame={{ ...span, top: 1 }}
        />
        <Sourced source={source.needle}>
          {latest.source === 'macos' ? `${Math.round(latest.needle * 100)} %` : LEVEL_WORDS[latest.level]}
        </Sourced>
        <span>Swap</span>
        <Sparkline label={spoken('Swap', swap)} points={swap} frame={{ ...span, top: swapTop }} />
        <span className={styles.values}>
          <Sourced source={source.swap}>{memory(latest.swapUsedBytes)}</Sourced>
          {rate !== null && rate >= 100_000 && <Sourced source={source.swapRate}>+{memory(rate)}/s</Sourced>}
        </span>
        {latest.wiredBytes !== null && (
          <>
            <span title="Memory that has to stay where it is: the system’s own, and a running model">Wired</span>
            <Sparkline
              label={spoken('Wired memory', wired)}
              points={wired}
              frame={{ ...span, top: latest.totalBytes }}
            />
            <Sourced source={source.wired}>{memory(latest.wiredBytes)}</Sourced>
          </>
        )}
        {engine.length > 0 && (
          <>
            <span>Model</span>
            <Sparkline
              label={spoken('The model’s memory', engine)}
              points={engine}
              frame={{ ...span, top: latest.totalBytes }}
            />
            {latest.engineActiveBytes === null ? (
              <span>Off</span>
            ) : (
              <Sourced source={ENGINE_SOURCE}>{memory(latest.engineActiveBytes)}</Sourced>
            )}
          </>
        )}
      </div>
    </section>
  );
}

function levelsSpoken(samples: readonly MemorySample[]): string {
  const seen = LEVELS.filter((level) => samples.some((sample) => sample.level === level));
  return `levels seen: ${seen.map((level) => LEVEL_WORDS[level].toLowerCase()).join(', ')}`;
}

/** What the person can set: protection, and the GPU's limit. */
function Controls({ onWiredLimit }: Pick<Props, 'onWiredLimit'>) {
  const mirror = useMirror();
  const protection = useMirrored((state) => state.app?.settings.protection);
  const wiredLimit = useMemory((state) => state.wiredLimit);
  const plan = useMemory((state) => state.plan);
  const protectionId = useId();
  useEffect(() => void mirror.memory.lookAtLimit(), [mirror]);
  return (
    <section className={styles.section} aria-label="Controls">
      {protection !== undefined && (
        <div className={styles.control}>
          <div>
            <p id={protectionId}>Step in before it swaps</p>
            <p className={styles.detail}>Ends an answer, or unloads the model, when memory gets short.</p>
          </div>
          <Switch
            isOn={protection === 'on'}
            labelledBy={protectionId}
            onChange={(isOn) => void mirror.setProtection(isOn ? 'on' : 'off')}
          />
        </div>
      )}
      {wiredLimit !== null && wiredLimit.kind !== 'not-needed' && (
        <div className={styles.control}>
          <div>
            <p>
              GPU memory limit
              {plan !== null && (
                <>
                  {', '}
                  <Sourced
                    source={
                      plan.limitFrom === 'setting' ? 'sysctl iogpu.wired_limit_mb' : 'Metal: recommended working set'
                    }
                  >
                    {exactMiB(plan.limitMiB)}
                  </Sourced>
                </>
              )}
            </p>
            <p className={styles.detail}>{limitSummary(wiredLimit)}</p>
          </div>
          <Button aria-haspopup="dialog" onClick={onWiredLimit}>
            Look…
          </Button>
        </div>
      )}
    </section>
  );
}
