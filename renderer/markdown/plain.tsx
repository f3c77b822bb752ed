import { memo } from 'react';
import styles from './markdown.module.css';
import { splitPlainText } from './plain-text.ts';
import { visibleText } from './visible-text.ts';

/** A very long plain text is laid out only where it is seen. */
const FAR_PIECES = 12;

/** Text as it was written. Pieces that are complete are left alone while the last one grows. */
export function Plain({ text }: { readonly text: string }) {
  const pieces = splitPlainText(visibleText(text));
  return pieces.map((piece, index) => <Piece key={index} text={piece} isFar={pieces.length > FAR_PIECES} />);
}

const Piece = memo(function Piece({ text, isFar }: { readonly text: string; readonly isFar: boolean }) {
  return (
    <p dir="auto" className={isFar ? `${styles.plain} ${styles.far}` : styles.plain}>
      {text}
    </p>
  );
});
