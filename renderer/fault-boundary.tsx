import { Component, type ReactNode } from 'react';
import { Stage, StageText } from './engine/stage.tsx';
import { Button } from './ui/button.tsx';

interface Props {
  readonly report: (message: string) => void;
  readonly children: ReactNode;
}

/** A fault of the window itself. Main keeps everything, so drawing it anew loses nothing. */
export class FaultBoundary extends Component<Props, { readonly failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  override componentDidCatch(error: unknown): void {
    this.props.report(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <Stage title="The window met a fault">
        <StageText>Your conversations are safe, and an answer under way goes on.</StageText>
        <p>
          <Button isPrimary onClick={() => location.reload()}>
            Draw it anew
          </Button>
        </p>
      </Stage>
    );
  }
}
