/**
 * The Workbench in JupyterLab. Each panel is a plugin of its own in `panels/`; they know `api/`,
 * and `api/` knows the server.
 */
import { branchCommandsPlugin, branchPlugin } from './panels/branch';
import { cellTagsPlugin, linearityPlugin } from './notebook';
import { launcherPlugin } from './launcher';
import { dataPlugin } from './panels/data';
import { featuresPlugin, insertPlugin } from './panels/features';
import { jobsPlugin, runAsJobPlugin } from './panels/jobs';
import { modelsPlugin } from './panels/models';
import { runDrivePlugin, runsPlugin } from './panels/runs';
import { monitorsPlugin } from './panels/monitors';
import { projectPlugin } from './project';
import { sidebarPlugin } from './sidebarPlugin';
import { statusBarPlugin } from './statusbar';

export { ISidebar } from './sidebar';
export { IWorkbench, type Workbench } from './workbench';

export default [
  projectPlugin,
  sidebarPlugin,
  branchPlugin,
  branchCommandsPlugin,
  runsPlugin,
  runDrivePlugin,
  modelsPlugin,
  monitorsPlugin,
  featuresPlugin,
  insertPlugin,
  dataPlugin,
  jobsPlugin,
  runAsJobPlugin,
  cellTagsPlugin,
  linearityPlugin,
  statusBarPlugin,
  launcherPlugin
];
