import Markdown from 'react-markdown';
import remarkGfm from 'remark-gfm';
import type { Arm } from './page.tsx';

const plugins = [remarkGfm];

/** As its documentation shows it: no colours, no formulas, the whole text with every change. */
const ReactMarkdownArm: Arm = ({ text }) => <Markdown remarkPlugins={plugins}>{text}</Markdown>;

export default ReactMarkdownArm;
