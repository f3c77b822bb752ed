/** Models in words: pure, and the only place where a verdict, a check or a way gets its wording. */
import type { FitPrediction, FitVerdict, FitWay, ModelEntry } from '../../preload/contract.ts';
import { ago, bytes, count, exactMiB, memory } from '../ui/numbers.ts';

/** A verdict in two or three words, for a list. */
export function verdictTitle({ kind }: FitVerdict): string {
  switch (kind) {
    case 'fits':
      return 'Fits';
    case 'fits-after-raise':
      return 'Fits after one permission';
    case 'works-if':
      return 'Needs more room';
    case 'not-on-this-mac':
      return 'Too large for this Mac';
    case 'unknown':
      return 'Unknown fit';
  }
}

/** What can be done about it; none where it fits. */
export function waysOf(verdict: FitVerdict): readonly FitWay[] {
  switch (verdict.kind) {
    case 'fits':
    case 'unknown':
      return [];
    case 'fits-after-raise':
      return verdict.ways ?? [{ kind: 'raise-limit', toMiB: verdict.toMiB }];
    case 'works-if':
    case 'not-on-this-mac':
      return verdict.ways;
  }
}

/** "Google Chrome (2.1 GB), Xcode (1.3 GB) and Music (220 MB)". */
const listed = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;

/** A way with its numbers. `short` goes on a button. Beside a raise of the limit the others are what needs no password. */
export function wayWords(way: FitWay, isBesideRaise = false): { readonly text: string; readonly short: string } {
  const noPassword = isBesideRaise ? ', no password' : '';
  switch (way.kind) {
    case 'quit-apps': {
      const apps = listed(way.apps.map(({ name, bytes: size }) => `${name} (${memory(size)})`));
      return {
        text: way.apps.length === 1 ? `Quit ${apps}.` : `Quit ${apps}: frees ${memory(way.freesBytes)}.`,
        short: 'Quit apps…',
      };
    }
    case 'raise-limit':
      return { text: `Let the GPU keep ${exactMiB(way.toMiB)}: macOS asks for your password.`, short: 'Raise…' };
    case 'smaller-context':
      return {
        text: `A context of ${contextLength(way.tokens)} tokens${noPassword}.`,
        short: `Use ${contextLength(way.tokens)}`,
      };
    case 'other-model':
      return { text: `${way.name}: ${memory(way.peakBytes)} at its peak${noPassword}.`, short: 'Look' };
  }
}

/** "4k", "1.2k": lengths count in 1,024s, as models do. */
export function contextLength(tokens: number): string {
  if (tokens < 1_024) return count(tokens);
  if (tokens >= 1_048_576) return `${trimmed(tokens / 1_048_576)}M`;
  return `${trimmed(tokens / 1_024)}k`;
}

/** At most one digit after the point, none when it is 0 or the number is long. */
const trimmed = (value: number): string => (value < 10 ? value.toFixed(1).replace(/\.0$/, '') : count(value));

/** How far the files can be trusted; null while there is nothing to say. */
export function checkedWords({
  origin,
  repository,
  engineName,
  presence,
}: Pick<ModelEntry, 'origin' | 'repository' | 'engineName' | 'presence'>): string | null {
  switch (presence.kind) {
    case 'absent':
    case 'getting':
      return null;
    case 'damaged':
      return presence.message;
    case 'here':
      if (origin === 'demo') return 'Comes with Headroom.';
      if (engineName !== undefined) return `Belongs to ${engineName}, used where it is and never changed.`;
      if (repository === null) return 'A folder of yours, used where it is and never changed.';
      switch (presence.checked) {
        case 'pinned':
          return 'Every file has the checksum pinned in Headroom.';
        case 'hub':
          return 'Checked against the hub, not pinned.';
        case 'unchecked':
          return 'Found on this Mac, not checked yet.';
      }
  }
}

/** "Last checked yesterday"; null where nothing was. */
export const lastCheckedWords = (presence: ModelEntry['presence'], nowMs: number): string | null =>
  'checkedAtMs' in presence && presence.checkedAtMs !== undefined
    ? `Last checked ${ago(nowMs - presence.checkedAtMs)}`
    : null;

/** "Predicted 12.3 GB, measured 12.2 GB, 8 loads": the app's own error, shown. */
export function measuredWords({ measured }: Pick<ModelEntry, 'measured'>): string | null {
  if (measured === null) return null;
  const { predictedBytes, measuredBytes, loads } = measured;
  return `Predicted ${memory(predictedBytes)}, measured ${memory(measuredBytes)}, ${loads === 1 ? '1 load' : `${count(loads)} loads`}`;
}

export interface PredictionRow {
  readonly name: string;
  readonly value: string;
  readonly aside: string | null;
}

/** Where the peak comes from, part by part. */
export function predictionRows(prediction: FitPrediction): readonly PredictionRow[] {
  const { kvBytes, kvCopiesBytes } = prediction;
  return [
    { name: 'Weights', value: memory(prediction.weightsBytes), aside: null },
    {
      name: `Context, ${contextLength(prediction.contextTokens)}`,
      value: memory(kvBytes + kvCopiesBytes),
      aside: kvCopiesBytes > 0 ? `${memory(kvCopiesBytes)} of it for copies` : null,
    },
    {
      name: 'Reading a prompt',
      value: memory(prediction.prefillBytes),
      aside: prediction.prefillFrom === 'calibrated' ? 'measured here' : 'a cautious guess until the first load',
    },
    { name: 'The engine', value: memory(prediction.runtimeBytes), aside: null },
    { name: 'At its peak', value: memory(prediction.peakBytes), aside: null },
  ];
}

/** Size, and what it may be used for. */
export const factsOf = ({ sizeBytes, licence, host }: Pick<ModelEntry, 'sizeBytes' | 'licence' | 'host'>): string =>
  [sizeBytes === null ? null : bytes(sizeBytes), licence, host === undefined ? null : `on ${host}`]
    .filter((part) => part !== null)
    .join(' · ');

/** A folder the user added is theirs, and of a name they added nothing may be here yet: only the list gets shorter. */
export const isOnlyForgotten = ({ id, origin, presence }: Pick<ModelEntry, 'id' | 'origin' | 'presence'>): boolean =>
  origin === 'added' && (id.startsWith('/') || presence.kind === 'absent');

/** What deleting comes to, asked before it happens: files come back by another download only. */
export function deleteQuestion(
  entry: Pick<ModelEntry, 'id' | 'origin' | 'presence' | 'isShared' | 'sizeBytes'>,
): string {
  if (entry.presence.kind === 'absent') return 'Take it off this list? It can be added again.';
  if (isOnlyForgotten(entry)) return 'Take it off this list? Its folder stays as it is.';
  const size = entry.sizeBytes === null ? 'its files' : bytes(entry.sizeBytes);
  return entry.isShared
    ? `Delete ${size}? Other tools on this Mac use the same files and will miss them.`
    : `Delete ${size}? It can be downloaded again.`;
}
