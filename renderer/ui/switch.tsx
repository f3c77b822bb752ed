import styles from './switch.module.css';

interface Props {
  readonly isOn: boolean;
  readonly labelledBy: string;
  readonly onChange: (isOn: boolean) => void;
}

export function Switch({ isOn, labelledBy, onChange }: Props) {
  return (
    <button
      type="button"
      role="switch"
      className={styles.switch}
      aria-checked={isOn}
      aria-labelledby={labelledBy}
      onClick={() => onChange(!isOn)}
    />
  );
}
