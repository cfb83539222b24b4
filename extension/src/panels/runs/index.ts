import { historyIcon } from '@jupyterlab/ui-components';

import { panelPlugin } from '../../plugin';
import { runsPanel } from './panel';

export const runsPlugin = panelPlugin({
  id: 'runs',
  description: 'What was run, with its metrics.',
  rank: 20,
  icon: historyIcon,
  title: trans => trans.__('Runs'),
  caption: trans => trans.__('What was run, with its metrics'),
  make: runsPanel
});
