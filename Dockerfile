# One image serves every part; the command says which: see compose.yaml.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    STATE_DIR=/var/lib/kontor

# The folders are made here so that volumes mounted on them belong to the same user.
RUN useradd --system --home-dir /var/lib/kontor --create-home kontor \
    && install -d -o kontor -g kontor /var/lib/kontor/files /var/lib/kontor/mail
WORKDIR /srv/kontor
COPY requirements.txt ./
RUN pip install --require-hashes -r requirements.txt
# Named one by one: a checkout also holds secrets and state, which have no business in an image.
COPY manage.py pyproject.toml ./
COPY config config
COPY tenants tenants
COPY shared_apps shared_apps
COPY tenant_apps tenant_apps
COPY scripts scripts

USER kontor
# Collecting needs no server, but settings refuse to load without these. None of them is kept: the
# container is given its own, and SEAL_KEY where it is served over https (.env.example).
RUN SECRET_KEY=only-while-the-image-is-built-0123456789abcdef \
    DATABASE_URL=postgres://nobody@127.0.0.1/none \
    REDIS_URL=redis://127.0.0.1/0 \
    python manage.py collectstatic --no-input

EXPOSE 8000
CMD ["python", "-m", "scripts.serving", "web"]
