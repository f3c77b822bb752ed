import { Check, Copy } from 'lucide-react';
import { useEffect, useState } from 'react';
import { IconButton } from './icon-button.tsx';
import { useSay } from './live-region.tsx';

const CONFIRMATION_MS = 1_600;

interface Props {
  /** Taken when clicked, from the data and never from the page. */
  readonly text: () => string | Promise<string | null>;
  readonly label: string;
  readonly tabIndex?: number;
}

export function CopyButton({ text, label, ...rest }: Props) {
  const [isCopied, setIsCopied] = useState(false);
  const say = useSay();
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setIsCopied(false), CONFIRMATION_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);

  const copy = async (): Promise<void> => {
    const copied = await text();
    if (copied === null) return;
    try {
      await navigator.clipboard.writeText(copied);
      setIsCopied(true);
      say('Copied');
    } catch {
      say('The system refused to copy.');
    }
  };

  return <IconButton isSmall icon={isCopied ? Check : Copy} label={label} onClick={() => void copy()} {...rest} />;
}
