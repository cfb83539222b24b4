import { MainAreaWidget } from '@jupyterlab/apputils';
import { LabIcon } from '@jupyterlab/ui-components';

import type { Topic } from '../../../api/events';
import { Resource } from '../../../api/resource';
import { Panel } from '../../../panel';
import { IContext } from '../../../plugin';
import { branchIcon } from '../../../ui/icons';

export interface IView {
  /** What tells it from the others, of any characters. */
  readonly id: string;
  readonly title: string;
  readonly caption?: string;
  readonly icon?: LabIcon;
  readonly topics: readonly Topic[];
  readonly resources: readonly Resource<unknown>[];
  readonly render: (close: () => void) => JSX.Element;
}

/** Show a view in the main area: the one that is there already, read again, or a new one. */
export function showView({ app, workbench }: IContext, view: IView): void {
  const id = `jupyter-workbench-view-${view.id}`;
  const before = [...app.shell.widgets('main')].find(one => one.id === id);
  if (before) {
    app.shell.activateById(id);
    workbench.tell(...view.topics);
    return;
  }
  const content = new Panel({
    id: view.id.split(':')[0],
    workbench,
    topics: view.topics,
    load: () => Promise.all(view.resources.map(one => one.load())),
    clear: () => view.resources.forEach(one => one.clear()),
    render: () => view.render(() => widget.dispose())
  });
  content.addClass('jp-Workbench-branchView');
  content.title.label = view.title;
  content.title.caption = view.caption ?? view.title;
  content.title.icon = view.icon ?? branchIcon;
  content.node.setAttribute('role', 'region');
  content.node.setAttribute('aria-label', view.title);
  const widget = new MainAreaWidget({ content });
  widget.id = id;
  widget.toolbar.hide(); // it would be an empty bar
  widget.title.closable = true;
  app.shell.add(widget, 'main');
  app.shell.activateById(id);
  if (workbench.project.state.kind !== 'ready') {
    void workbench.refresh();
  }
}
