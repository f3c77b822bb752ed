import { memo } from 'react';
import type { UserMessage } from '../../preload/contract.ts';
import { splitPlainText } from '../markdown/blocks.ts';
import { Hidden } from '../ui/hidden.tsx';
import styles from './user-bubble.module.css';

export const UserBubble = memo(function UserBubble({ message }: { readonly message: UserMessage }) {
  return (
    <article className={styles.bubble} data-testid="user-message">
      <Hidden>
        <h2>You</h2>
      </Hidden>
      {splitPlainText(message.text).map((piece, index) => (
        <p key={index}>{piece}</p>
      ))}
    </article>
  );
});
