import { panelPlugin } from '../../plugin';
import { branchIcon } from '../../ui/icons';
import { branchPanel } from './panel';

export { branchCommandsPlugin } from './commands';

export const branchPlugin = panelPlugin({
  id: 'branch',
  description:
    'What is checked out, what differs from the last commit, and the branches.',
  rank: 10,
  icon: branchIcon,
  title: trans => trans.__('Branch'),
  caption: trans =>
    trans.__('What is checked out, and what differs from the last commit'),
  make: branchPanel
});
