/**
 * Saying how something goes that the server does beside its requests.
 */
import { Notification } from '@jupyterlab/apputils';

import { api, ask } from '../../api/client';
import type { Topic } from '../../api/events';
import { ITask } from '../../api/types';
import { IContext } from '../../plugin';
import { Workbench } from '../../workbench';

const TYPES: Readonly<Partial<Record<ITask['state'], Notification.TypeOptions>>> = {
  succeeded: 'success',
  disappointed: 'warning',
  failed: 'error'
};

/** Show a task as a notification until it has ended, and how it did. */
export function followTask(
  { workbench, trans }: IContext,
  task: ITask,
  title: string
): void {
  const { path } = workbench;
  const id = Notification.emit(title, 'in-progress', { autoClose: false });
  const stop = (): void => void workbench.changed.disconnect(look);
  const say = (now: ITask): void => {
    const message = now.said ? trans.__('%1: %2', title, now.said) : title;
    if (now.finished_at === null) {
      Notification.update({ id, message });
      return;
    }
    stop();
    const type = TYPES[now.state] ?? 'info';
    Notification.update({ id, message, type, autoClose: false });
    workbench.tell('models');
  };
  const look = async (_: Workbench, topics: readonly Topic[]): Promise<void> => {
    if (!topics.includes('tasks')) {
      return;
    }
    try {
      const tasks = await ask(api.GET('/tasks', { params: { query: { path } } }));
      const now = tasks.find(one => one.id === task.id);
      if (now) {
        say(now);
      } else {
        stop();
        const message = trans.__('%1: the server was started again meanwhile', title);
        Notification.update({ id, message, type: 'warning', autoClose: false });
      }
    } catch {
      // A server that is away is asked again when it is back.
    }
  };
  workbench.changed.connect(look);
  workbench.tell('tasks');
}
