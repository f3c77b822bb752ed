import styles from './toy-label.module.css';

/** Stands wherever the demo model is named. */
export function ToyLabel() {
  return (
    <span className={styles.label} title="A tiny model made to show the app. It knows little.">
      toy
    </span>
  );
}
