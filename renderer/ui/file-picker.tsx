import type { ReactNode } from 'react';
import { useCallback, useEffect, useRef } from 'react';
import { useMirror } from '../mirror/react.ts';

interface Props {
  readonly accept?: string;
  readonly isMultiple?: boolean;
  readonly testId: string;
  readonly onFiles: (files: readonly File[]) => void;
  /** Draws what opens the dialog. */
  readonly children: (open: () => void) => ReactNode;
}

/** The system's file dialog. It takes the focus from the popover, which has to be told, or it would hide. */
export function FilePicker({ accept, isMultiple = false, testId, onFiles, children }: Props) {
  const mirror = useMirror();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const { current } = input;
    // React has no prop for it.
    const onCancel = (): void => mirror.holdWindow(false);
    current?.addEventListener('cancel', onCancel);
    return () => current?.removeEventListener('cancel', onCancel);
  }, [mirror]);
  const open = useCallback((): void => {
    mirror.holdWindow(true);
    input.current?.click();
  }, [mirror]);
  return (
    <>
      {children(open)}
      <input
        ref={input}
        type="file"
        accept={accept}
        multiple={isMultiple}
        hidden
        aria-hidden
        tabIndex={-1}
        data-testid={testId}
        onChange={({ target }) => {
          mirror.holdWindow(false);
          // A list of its own: the input's empties itself with the input.
          const files = [...(target.files ?? [])];
          target.value = '';
          if (files.length > 0) onFiles(files);
        }}
      />
    </>
  );
}
