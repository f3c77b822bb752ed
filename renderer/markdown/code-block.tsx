import { WrapText } from 'lucide-react';
import { Fragment, memo, type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import { CopyButton } from '../ui/copy-button.tsx';
import { IconButton } from '../ui/icon-button.tsx';
import styles from './code-block.module.css';
import { type BlockColours, CodeColouring } from './code-colouring.ts';
import { CODE_KINDS, type ColouredLine } from './code-colours.ts';
import { startColourWorker } from './colour-worker-start.ts';
import { type CodeLanguage, languageOf } from './languages.ts';
import { visibleCode } from './visible-text.ts';

/** Lines laid out as one node: a growing block is laid out again only at its end. */
const LINES_A_PIECE = 20;
/** A line longer than this is cut for the eye: one text node of a megabyte takes seconds to lay out. */
const MAX_LINE_LENGTH = 4_000;
/** Lines longer than the column get the button that wraps them. */
const COLUMN = 48;

const colouring = new CodeColouring({
  startWorker: startColourWorker,
  setTimer: (run, afterMs) => window.setTimeout(run, afterMs),
  clearTimer: (timer) => window.clearTimeout(timer),
});

interface Piece {
  /** Its first line's place in the block. */
  readonly from: number;
  readonly lines: readonly string[];
  /** Nothing of it may be broken anywhere. */
  readonly isCut: boolean;
}

function piecesOf(lines: readonly string[]): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  const flush = (to: number): void => {
    if (to > from) pieces.push({ from, lines: lines.slice(from, to), isCut: false });
    from = to;
  };
  for (const [index, line] of lines.entries()) {
    if (line.length > MAX_LINE_LENGTH) {
      flush(index);
      for (let at = 0; at < line.length; at += MAX_LINE_LENGTH)
        pieces.push({ from: index, lines: [line.slice(at, at + MAX_LINE_LENGTH)], isCut: true });
      from = index + 1;
    } else if (index - from === LINES_A_PIECE) flush(index);
  }
  flush(lines.length);
  return pieces;
}

const NONE: readonly ColouredLine[] = [];

/** The colours known so far of lines that are complete. A block that was drawn before has them at once. */
function useColours({ grammar }: CodeLanguage, complete: readonly string[]): readonly ColouredLine[] {
  const [known, setKnown] = useState(() => {
    const lines = grammar === null ? undefined : colouring.recall(grammar, complete.join('\n'));
    return { grammar, lines: lines ?? NONE, of: lines === undefined ? null : complete };
  });
  const block = useRef<BlockColours | null>(null);
  useEffect(() => {
    if (grammar === null || known.of === complete) return;
    if (block.current === null) {
      const opened = colouring.open(grammar);
      opened.subscribe(() => setKnown({ grammar, lines: opened.lines, of: null }));
      block.current = opened;
    }
    block.current.show(complete);
  }, [grammar, complete, known]);
  useEffect(
    () => () => {
      block.current?.close();
      block.current = null;
    },
    [grammar],
  );
  return known.grammar === grammar ? known.lines : NONE;
}

interface Props {
  readonly text: string;
  /** What the fence says after its marks. */
  readonly language: string;
  /** The last line is still being written. */
  readonly isGrowing: boolean;
}

export function CodeBlock({ text, language, isGrowing }: Props) {
  const known = languageOf(language);
  const [isWrapped, setIsWrapped] = useState(false);
  const shown = visibleCode(text);
  const lines = useMemo(() => shown.split('\n'), [shown]);
  const complete = useMemo(() => (isGrowing ? lines.slice(0, -1) : lines), [lines, isGrowing]);
  const colours = useColours(known, complete);
  const isWide = useMemo(() => lines.some(({ length }) => length > COLUMN), [lines]);
  return (
    <figure className={styles.block} aria-label={known.name === '' ? 'Code' : `Code, ${known.name}`}>
      <div className={styles.bar} data-find-skip="">
        <span className={styles.language}>{known.name}</span>
        {isWide && (
          <IconButton
            isSmall
            className={styles.wrap}
            icon={WrapText}
            label="Wrap long lines"
            aria-pressed={isWrapped}
            onClick={() => setIsWrapped(!isWrapped)}
          />
        )}
        <CopyButton label="Copy the code" text={() => text} />
      </div>
      {/* Focusable, so that the keyboard can scroll it sideways. */}
      <pre className={isWrapped ? `${styles.pre} ${styles.wrapped}` : styles.pre} tabIndex={0} dir="ltr">
        <code>
          {piecesOf(lines).map((piece, index) => (
            <PieceOfCode
              key={index}
              piece={piece}
              colours={colours.slice(piece.from, piece.from + piece.lines.length)}
            />
          ))}
        </code>
      </pre>
    </figure>
  );
}

interface PieceProps {
  readonly piece: Piece;
  readonly colours: readonly ColouredLine[];
}

const PieceOfCode = memo(
  function PieceOfCode({ piece: { lines, isCut }, colours }: PieceProps) {
    return (
      <span className={isCut ? `${styles.piece} ${styles.cut}` : styles.piece}>
        {lines.map((line, index) => (
          <Fragment key={index}>
            {index > 0 && '\n'}
            {/* A piece with nothing in it would have no height. */}
            {line === '' && lines.length === 1 ? '\u200b' : coloured(line, isCut ? undefined : colours[index])}
          </Fragment>
        ))}
      </span>
    );
  },
  (before, now) =>
    before.piece.isCut === now.piece.isCut &&
    isSame(before.piece.lines, now.piece.lines) &&
    isSame(before.colours, now.colours),
);

const isSame = <T,>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);

function coloured(line: string, colours: ColouredLine | undefined): ReactNode {
  if (colours === undefined) return line;
  const runs: ReactNode[] = [];
  let at = 0;
  for (let index = 0; index + 1 < colours.length; index += 2) {
    const kind = CODE_KINDS[colours[index] ?? 0] ?? 'plain';
    const end = at + (colours[index + 1] ?? 0);
    const run = line.slice(at, end);
    runs.push(
      kind === 'plain' ? (
        run
      ) : (
        <span key={index} className={styles[kind]}>
          {run}
        </span>
      ),
    );
    at = end;
  }
  return [...runs, line.slice(at)];
}
