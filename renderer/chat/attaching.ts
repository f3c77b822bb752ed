import { useCallback, useEffect, useRef, useState } from 'react';
import { type Attachment, MAX_MESSAGE_LENGTH } from '../../preload/contract.ts';
import { useMirror } from '../mirror/react.ts';
import { bytes } from '../ui/numbers.ts';
import { isSheetOpen } from '../ui/sheet.tsx';

/** A paste longer than this becomes a block of its own: the message stays readable, and the block says what it costs. */
const LONG_CHARACTERS = 4_000;
const LONG_LINES = 60;

export function isLongPaste(text: string): boolean {
  if (text.length > LONG_CHARACTERS) return true;
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines > LONG_LINES;
}

interface Attach {
  attachFiles(files: Iterable<File>): Promise<void>;
  attachText(text: string): Promise<void>;
  readonly isAttaching: boolean;
}

/** Hands files and long pasted texts to main, which reads, checks and counts them; what it refuses is said. */
export function useAttach(onAttached: (attachment: Attachment) => void): Attach {
  const mirror = useMirror();
  const underWay = useRef(0);
  const [isAttaching, setAttaching] = useState(false);

  const track = useCallback(async (work: () => Promise<void>): Promise<void> => {
    underWay.current += 1;
    setAttaching(true);
    try {
      await work();
    } finally {
      underWay.current -= 1;
      setAttaching(underWay.current > 0);
    }
  }, []);

  const attach = useCallback(
    async (name: string | null, text: string): Promise<void> => {
      const attachment = await mirror.chat.attach(name, text);
      if (attachment !== null) onAttached(attachment);
    },
    [mirror, onAttached],
  );

  return {
    isAttaching,
    attachText: useCallback((text: string) => track(() => attach(null, text)), [track, attach]),
    attachFiles: useCallback(
      (files: Iterable<File>) =>
        track(async () => {
          for (const file of files) {
            // UTF-8 has at most three bytes a UTF-16 unit: larger cannot fit, and need not be read to know.
            if (file.size > 3 * MAX_MESSAGE_LENGTH) {
              mirror.refuse({
                code: 'refused',
                message: `${file.name} is too large to attach (${bytes(file.size)}).`,
                nextStep: 'Attach the part the model should read.',
              });
              continue;
            }
            let text: string;
            try {
              text = await file.text();
            } catch {
              mirror.refuse({
                code: 'refused',
                message: `${file.name} could not be read.`,
                nextStep: 'A folder cannot be attached; its files can.',
              });
              continue;
            }
            await attach(file.name, text);
          }
        }),
      [mirror, track, attach],
    ),
  };
}

/**
 * Files dropped anywhere on the window; true while they are held over it. Left to itself, a page is left for the file.
 * What is in front of the conversation takes none.
 */
export function useDrop(onFiles: (files: readonly File[]) => unknown): boolean {
  const [isDropping, setDropping] = useState(false);
  useEffect(() => {
    const onDragOver = (event: DragEvent): void => {
      if (event.dataTransfer?.types.includes('Files') !== true) return;
      event.preventDefault();
      const isTaken = !isSheetOpen();
      event.dataTransfer.dropEffect = isTaken ? 'copy' : 'none';
      setDropping(isTaken);
    };
    const onDragLeave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setDropping(false);
    };
    const onDrop = (event: DragEvent): void => {
      setDropping(false);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      if (!isSheetOpen()) onFiles(files);
    };
    addEventListener('dragover', onDragOver);
    addEventListener('dragleave', onDragLeave);
    addEventListener('drop', onDrop);
    return () => {
      removeEventListener('dragover', onDragOver);
      removeEventListener('dragleave', onDragLeave);
      removeEventListener('drop', onDrop);
    };
  }, [onFiles]);
  return isDropping;
}
