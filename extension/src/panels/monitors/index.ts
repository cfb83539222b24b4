import { inspectorIcon } from '@jupyterlab/ui-components';

import { panelPlugin } from '../../plugin';
import { addMonitorCommands } from './commands';
import { monitorsPanel } from './panel';

export const monitorsPlugin = panelPlugin({
  id: 'monitors',
  description: 'How each model fares, what alerted, and the dashboards.',
  rank: 45,
  icon: inspectorIcon,
  title: trans => trans.__('Monitors'),
  caption: trans => trans.__('How each model fares, and what alerted'),
  commands: addMonitorCommands,
  make: monitorsPanel
});
