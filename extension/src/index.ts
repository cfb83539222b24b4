/**
 * The Workbench sidebar of JupyterLab. The plugins only wire; the panels know `api.ts`, and
 * `api.ts` knows the server.
 */
import { featuresPlugin } from './plugins/features';
import { projectPlugin } from './plugins/project';
import { sidebarPlugin } from './plugins/sidebar';

export { IWorkbench, type Workbench } from './workbench';

export default [projectPlugin, sidebarPlugin, featuresPlugin];
