/**
 * The tiles of the project that the launcher's folder is in.
 */
import { ILauncher } from '@jupyterlab/launcher';
import { DisposableSet } from '@lumino/disposable';

import { api, ask } from '../api/client';
import { IDashboard } from '../api/types';
import { IContext } from '../plugin';
import { CommandIDs } from './commands';

/** Puts tiles into the launcher while there is a project, and takes them out where there is none. */
export class Tiles {
  constructor(
    private readonly _context: IContext,
    private readonly _launcher: ILauncher
  ) {
    _context.workbench.pathChanged.connect(() => void this._read());
  }

  /** Whether the user wants to see them. */
  set isWanted(isWanted: boolean) {
    this._isWanted = isWanted;
    void this._read();
  }

  private async _read(): Promise<void> {
    this._reading?.abort();
    const { signal } = (this._reading = new AbortController());
    const found = this._isWanted ? await this._dashboards(signal) : null;
    if (!signal.aborted) {
      this._show(found);
    }
  }

  /** What there is to open; null outside of projects, which is a normal state. */
  private async _dashboards(
    signal: AbortSignal
  ): Promise<readonly IDashboard[] | null> {
    const query = { path: this._context.workbench.path };
    try {
      return await ask(api.GET('/dashboards', { params: { query }, signal }));
    } catch {
      return null; // the panels say what is wrong, where there is something
    }
  }

  private _show(found: readonly IDashboard[] | null): void {
    this._tiles.dispose();
    this._tiles = new DisposableSet();
    if (!found) {
      return;
    }
    const category = this._context.trans.__('Workbench');
    const add = (command: string, rank: number, args: object): void =>
      this._tiles.add(
        this._launcher.add({ command, category, rank, args: { ...args, isTile: true } })
      );
    add(CommandIDs.newExperiment, 0, {});
    found
      .filter(one => one.address !== null)
      .forEach(({ name, address }, index) =>
        add(CommandIDs.launchDashboard, 1 + index, { name, address })
      );
  }

  private _isWanted = false;
  private _tiles = new DisposableSet();
  private _reading: AbortController | null = null;
}
