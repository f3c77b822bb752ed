import { memo } from 'react';
import { CopyButton } from '../ui/copy-button.tsx';
import styles from './code-block.module.css';

/** Lines laid out as one node: a growing block is laid out again only at its end. */
const LINES_A_PIECE = 20;

function pieces(text: string): readonly string[] {
  const lines = text.split('\n');
  const result: string[] = [];
  for (let start = 0; start < lines.length; start += LINES_A_PIECE)
    result.push(lines.slice(start, start + LINES_A_PIECE).join('\n'));
  return result;
}

const Piece = memo(function Piece({ text }: { readonly text: string }) {
  // An empty piece would have no height.
  return <span className={styles.piece}>{text === '' ? '\u200b' : text}</span>;
});

/** Only what a fence's first word can be: it is shown and never interpreted. */
const languageName = (info: string): string => /^[\w+#.-]{1,24}/.exec(info.trim())?.[0] ?? '';

export function CodeBlock({ text, language }: { readonly text: string; readonly language: string }) {
  const name = languageName(language);
  return (
    <figure className={styles.block} aria-label={name === '' ? 'Code' : `Code, ${name}`}>
      <div className={styles.bar}>
        <span>{name}</span>
        <CopyButton label="Copy the code" text={() => text} />
      </div>
      {/* Focusable, so that the keyboard can scroll it sideways. */}
      <pre className={styles.pre} tabIndex={0}>
        <code>
          {pieces(text).map((piece, index) => (
            <Piece key={index} text={piece} />
          ))}
        </code>
      </pre>
    </figure>
  );
}
