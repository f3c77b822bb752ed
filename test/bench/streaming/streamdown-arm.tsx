import { Streamdown } from 'streamdown';
import type { Arm } from './page.tsx';

/** As its documentation shows it, without its plugins: no colours, no formulas. */
const StreamdownArm: Arm = ({ text, isGrowing }) => <Streamdown isAnimating={isGrowing}>{text}</Streamdown>;

export default StreamdownArm;
