import { ChevronRight, FileText, X } from 'lucide-react';
import { useId, useState } from 'react';
import type { Attachment } from '../../preload/contract.ts';
import { splitPlainText } from '../markdown/plain-text.ts';
import { useMirror } from '../mirror/react.ts';
import { IconButton } from '../ui/icon-button.tsx';
import { count } from '../ui/numbers.ts';
import styles from './attachment-block.module.css';

interface Props {
  readonly attachment: Attachment;
  /** Left out where it was sent already. */
  readonly onRemove?: () => void;
}

const sizeOf = ({ tokens, lines }: Attachment): string =>
  tokens === null ? `${count(lines)} ${lines === 1 ? 'line' : 'lines'}` : `${count(tokens)} tokens`;

/** A file or a long pasted text: folded to its name and cost, its text one click away. */
export function AttachmentBlock({ attachment, onRemove }: Props) {
  const { chat } = useMirror();
  const id = useId();
  const [isOpen, setIsOpen] = useState(false);
  const [text, setText] = useState<string | null>(null);
  const toggle = async (): Promise<void> => {
    setIsOpen(!isOpen);
    if (!isOpen && text === null) setText(await chat.attachmentText(attachment.id));
  };
  return (
    <div className={styles.block} data-testid="attachment">
      <div className={styles.head}>
        <button
          type="button"
          className={styles.fold}
          aria-expanded={isOpen}
          aria-controls={isOpen ? id : undefined}
          title={attachment.preview}
          onClick={() => void toggle()}
        >
          {isOpen ? null : <FileText size={14} strokeWidth={1.75} aria-hidden />}
          {isOpen && <ChevronRight size={12} strokeWidth={2.25} aria-hidden />}
          <span className={styles.name}>{attachment.name}</span>
          <span className={styles.size}>{sizeOf(attachment)}</span>
        </button>
        {onRemove !== undefined && (
          <IconButton isSmall icon={X} label={`Remove ${attachment.name}`} onClick={onRemove} />
        )}
      </div>
      {isOpen && (
        <div id={id} className={styles.text}>
          {splitPlainText(text ?? attachment.preview).map((piece, index) => (
            <p key={index}>{piece}</p>
          ))}
        </div>
      )}
    </div>
  );
}
