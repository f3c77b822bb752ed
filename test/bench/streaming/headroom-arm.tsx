import { Markdown } from '../../../renderer/markdown/markdown.tsx';
import { MirrorContext } from '../../../renderer/mirror/react.ts';
import type { Arm } from './page.tsx';

/** Links ask the mirror only when they are followed, which nobody does here. */
const nobody = {} as never;

const HeadroomArm: Arm = ({ text, isGrowing }) => (
  <MirrorContext value={nobody}>
    <Markdown text={text} isGrowing={isGrowing} />
  </MirrorContext>
);

export default HeadroomArm;
