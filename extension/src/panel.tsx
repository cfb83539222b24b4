/**
 * What a panel is: something of the project that is shown while it can be seen, in the sidebar or
 * in the main area.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import { ISignal, Signal } from '@lumino/signaling';
import React from 'react';

import type { Topic } from './api/events';
import { Workbench } from './workbench';

export interface IPanelOptions {
  /** A word: `runs`. */
  readonly id: string;
  readonly workbench: Workbench;
  /** What it shows changes with these. */
  readonly topics: readonly Topic[];
  /** Read again what it shows. */
  readonly load: () => unknown;
  /** Forget what was read: it belongs to another project. */
  readonly clear: () => void;
  readonly render: () => JSX.Element;
}

/** Reads when it comes on the screen and, while it is there, whenever something has changed. */
export class Panel extends ReactWidget {
  constructor(private readonly _options: IPanelOptions) {
    super();
    const { workbench, id } = _options;
    this.addClass('jp-Workbench-panel');
    this.addClass('jp-Workbench');
    this.node.dataset.panel = id;
    this.node.tabIndex = -1;
    workbench.changed.connect(this._onChanged, this);
    workbench.projectChanged.connect(this._onProject, this);
    workbench.pathChanged.connect(this._onPath, this);
  }

  /** Something that was said beside its title, such as how many there are. */
  get badge(): string {
    return this._badge;
  }
  set badge(badge: string) {
    if (badge !== this._badge) {
      this._badge = badge;
      this._badgeChanged.emit(badge);
    }
  }

  get badgeChanged(): ISignal<this, string> {
    return this._badgeChanged;
  }

  /** What it says below its content in every state. */
  below: JSX.Element | null = null;

  override dispose(): void {
    if (!this.isDisposed) {
      Signal.clearData(this);
      super.dispose();
    }
  }

  protected override onAfterShow(): void {
    this._loadIfStale();
  }

  protected override onAfterAttach(message: unknown): void {
    super.onAfterAttach(message as never);
    this._loadIfStale();
  }

  protected override render(): JSX.Element {
    return (
      <>
        {this._options.render()}
        {this.below}
      </>
    );
  }

  private _onChanged(_: Workbench, topics: readonly Topic[]): void {
    if (topics.some(topic => this._options.topics.includes(topic))) {
      this._isStale = true;
      this._loadIfStale();
    }
  }

  /** In the main area it is seen without the sidebar, which would read the project. */
  private _onPath(): void {
    if (this.isVisible) {
      void this._options.workbench.arrive();
    }
  }

  private _onProject(): void {
    this._isStale = true;
    this._options.clear();
  }

  private _loadIfStale(): void {
    const { project } = this._options.workbench;
    if (this._isStale && this.isVisible && project.state.kind === 'ready') {
      this._isStale = false;
      void this._options.load();
    }
  }

  private _isStale = true;
  private _badge = '';
  private readonly _badgeChanged = new Signal<this, string>(this);
}
