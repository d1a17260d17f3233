"""The systemd unit of an installation, with the paths of that installation."""

from __future__ import annotations

from pathlib import Path

from bot.config.settings import Settings

_UNIT = """\
# Likewatch, printed by `likewatch unit`. Install it as /etc/systemd/system/likewatch.service, then:
#   systemctl daemon-reload && systemctl enable --now likewatch
[Unit]
Description=Likewatch: who is gaining an audience, and from where
Wants=network-online.target
After=network-online.target
# systemd restarts Likewatch for ever: an hour without a network is no reason to give up.
StartLimitIntervalSec=0

[Service]
# Likewatch reports when it is ready, and then every few seconds that its cycle works.
Type=notify
WatchdogSec=120
# A large database takes minutes to check at the start.
TimeoutStartSec=900
ExecStart={executable} run --no-browser
WorkingDirectory={folder}
Environment={database}
User={user}
Restart=always
RestartSec=10
# Likewatch ends within 8 seconds of the signal. The database knows what was not finished.
TimeoutStopSec=15

# Likewatch writes to the folder of its database only. It needs the network, and no privilege.
UMask=0077
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={data}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target"""


def systemd_unit(settings: Settings, *, executable: Path, folder: Path, user: str) -> str:
    """Return a unit that runs ``executable`` as ``user`` in ``folder``, whose ``.env`` it reads."""
    database = folder / settings.database
    return _UNIT.format(
        executable=_quoted(executable),
        folder=_escaped(folder),
        database=_quoted(f"LIKEWATCH_DATABASE={database}"),
        data=_quoted(database.parent),
        user=user,
    )


def _escaped(text: object) -> str:
    return str(text).replace("%", "%%")


def _quoted(word: object) -> str:
    """Quote one word for systemd.

    https://www.freedesktop.org/software/systemd/man/systemd.syntax.html#Quoting
    """
    text = _escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if any(character.isspace() or character in "\"'\\" for character in text) else text
