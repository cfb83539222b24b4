import { tableRowsIcon } from '@jupyterlab/ui-components';

import { panelPlugin } from '../../plugin';
import { addReportCommand } from './commands';
import { dataPanel } from './panel';

export const dataPlugin = panelPlugin({
  id: 'data',
  description: 'The named sources of data.',
  rank: 60,
  icon: tableRowsIcon,
  title: trans => trans.__('Data'),
  caption: trans => trans.__('Sources, what was read of them, and their contracts'),
  commands: ({ app, workbench, trans }) => addReportCommand(app, workbench, trans),
  make: dataPanel
});
