/**
 * The Workbench in JupyterLab. Each panel is a plugin of its own in `panels/`; they know `api/`,
 * and `api/` knows the server.
 */
import { branchCommandsPlugin, branchPlugin } from './panels/branch';
import { dataPlugin } from './panels/data';
import { featuresPlugin, insertPlugin } from './panels/features';
import { modelsPlugin } from './panels/models';
import { runDrivePlugin, runsPlugin } from './panels/runs';
import { projectPlugin } from './project';
import { sidebarPlugin } from './sidebarPlugin';

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
  featuresPlugin,
  insertPlugin,
  dataPlugin
];
