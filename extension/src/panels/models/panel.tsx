import React from 'react';

import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { Home } from './home';
import { Model } from './model';
import { ModelsStore, useView } from './store';

/** What is in production, the versions of each model, and what is done with them. */
export function modelsPanel(context: IContext): Panel {
  const { workbench } = context;
  const store = new ModelsStore(workbench);
  // A task tells each of its steps: only the list of tasks is read again for that.
  workbench.changed.connect((_, topics) => {
    if (topics.includes('tasks') && store.isLoaded) {
      void store.tasks.load();
    }
  });
  return new Panel({
    id: 'models',
    workbench,
    topics: ['models', 'monitors'],
    load: () => store.load(),
    clear: () => store.clear(),
    render: () => <Models context={context} store={store} />
  });
}

/** What each part of the panel is given. */
export interface IPartProps {
  readonly context: IContext;
  readonly store: ModelsStore;
}

function Models(props: IPartProps): JSX.Element {
  const { model } = useView(props.store);
  return model === null ? <Home {...props} /> : <Model {...props} name={model} />;
}
