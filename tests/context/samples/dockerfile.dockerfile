FROM --platform=linux/amd64 python:3.12 AS build
RUN pip install .

FROM debian:12
COPY --from=build /x /y
