# Wheels are built in one stage; the image has the package, what it needs, and no compiler.
FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY stream stream
RUN python -m venv /opt/contact-stream \
    && /opt/contact-stream/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim
COPY --from=build /opt/contact-stream /opt/contact-stream
ENV PATH=/opt/contact-stream/bin:$PATH
USER 65534:65534
EXPOSE 9108
ENTRYPOINT ["contact-stream"]
CMD ["worker"]
