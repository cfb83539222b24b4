import { listIcon } from '@jupyterlab/ui-components';

import { panelPlugin } from '../../plugin';
import { addModelCommands } from './commands';
import { modelsPanel } from './panel';

export const modelsPlugin = panelPlugin({
  id: 'models',
  description: 'Versions, their aliases and the evidence they moved on.',
  rank: 40,
  icon: listIcon,
  title: trans => trans.__('Models'),
  caption: trans => trans.__('Versions, their aliases and the evidence they moved on'),
  commands: addModelCommands,
  make: modelsPanel
});
